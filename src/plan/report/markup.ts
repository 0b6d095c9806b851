/** Small parts of the report's HTML. Pure. */

/** The class of a state. */
export function toneOf(state: string): string {
  if (state === 'failed' || state === 'cancelled') return 'bad';
  return state === 'skipped'
    ? 'dim'
    : ['waiting', 'applying', 'starting', 'removing', 'running'].includes(state)
      ? 'busy'
      : 'good';
}

export function time(milliseconds: number): string {
  const iso = new Date(milliseconds).toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

/** Escaped, for an element or an attribute. */
export function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
