/** Keys of findings as people type them. Without Node's modules: workflows use it too. */

/** Letters and digits of a short id. */
const LENGTH = 6;

/** A short name for a finding's key, the same in every run: six letters and digits. */
export function shortId(key: string): string {
  // FNV-1a, 32 bits: a workflow has no crypto module.
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193) >>> 0;
  return hash.toString(36).padStart(LENGTH, '0').slice(-LENGTH);
}

/** Those whose key or short id was typed; more than one only where two short ids are the same. */
export function byKey<T extends { key: string }>(typed: string, among: readonly T[]): T[] {
  const exact = among.filter(({ key }) => key === typed);
  return exact.length > 0 ? exact : among.filter(({ key }) => shortId(key) === typed.toLowerCase());
}
