import { createReadStream } from 'node:fs';
import { dirname } from 'node:path';
import { readReceipt } from '../receipts.ts';
import type { InstalledTool } from '../types.ts';

/** How Go notes build tags inside every program; HashiCorp's `minimal` leaves out the Kubernetes auth method. */
const TAGS = /build\t-tags=([\w,]+)/;
const LONGEST_NOTE = 512;

async function hasTag(path: string, tag: string): Promise<boolean> {
  let carried = '';
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 22 }) as AsyncIterable<Buffer>) {
    const text = carried + piece.toString('latin1');
    const tags = TAGS.exec(text)?.[1];
    // A note at the very end may be cut; it is seen whole with the next piece.
    if (tags !== undefined && text.indexOf(tags) + tags.length < text.length) return tags.split(',').includes(tag);
    carried = text.slice(-LONGEST_NOTE);
  }
  return false;
}

/**
 * Whether this Vault lacks the Kubernetes auth method, so that `vault-plugin-auth-kubernetes` must be registered.
 * Releases have it built in; the `minimal` build does not.
 */
export async function needsKubernetesAuthPlugin(vault: InstalledTool): Promise<boolean> {
  if (vault.source === 'build') return true;
  if (vault.source === 'release') return false;
  if (vault.source === 'cache') {
    const receipt = await readReceipt(dirname(vault.path));
    if (receipt !== undefined) return receipt.source === 'build';
  }
  return hasTag(vault.path, 'minimal');
}
