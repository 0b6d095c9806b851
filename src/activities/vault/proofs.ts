/** The key that revisions of ours are proved with. It lies in Vault, and stays in this process. */
import type { Clients } from '../../clients/index.ts';
import { type Proofs, proofKey } from '../../plan/provenance.ts';
import { readReceipt } from './receipt.ts';

type Reading = Pick<Clients, 'vault' | 'redactor'>;

const KEPT_MILLISECONDS = 60_000;
/** A Vault that is away may be there in a moment. */
const AWAY_MILLISECONDS = 3000;
const PATIENCE_MILLISECONDS = 10_000;

const kept = new WeakMap<Reading['vault'], { until: number; proofs: Promise<Proofs> }>();

/**
 * A few requests a minute, however many revisions are proved. Changes nothing: a sealed Vault stays sealed.
 * @returns without a key, and with the reason, where Vault could not be asked or has none yet. Never throws.
 */
export async function readProofs(clients: Reading): Promise<Proofs> {
  const known = kept.get(clients.vault);
  if (known && known.until > performance.now()) return known.proofs;
  const entry = { until: performance.now() + KEPT_MILLISECONDS, proofs: ask(clients) };
  kept.set(clients.vault, entry);
  const proofs = await entry.proofs;
  if (proofs.key === undefined) entry.until = performance.now() + AWAY_MILLISECONDS;
  return proofs;
}

/** After what Vault holds of it was changed. */
export function forgetProofs({ vault }: Pick<Reading, 'vault'>): void {
  kept.delete(vault);
}

async function ask({ vault, redactor }: Reading): Promise<Proofs> {
  const signal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
  try {
    const { state, detail } = await vault.state(signal);
    if (state !== 'open') return { reason: redactor.redact(detail) };
    const { fingerprintKey, provedSince } = await vault.asDeployer((session) => readReceipt(session, signal), signal);
    if (fingerprintKey === undefined) return { reason: 'Vault has no key for it yet' };
    redactor.learn(fingerprintKey);
    return { key: proofKey(fingerprintKey), ...(provedSince === undefined ? {} : { since: provedSince }) };
  } catch (error) {
    return { reason: redactor.redact(error instanceof Error ? error.message : String(error)) };
  }
}
