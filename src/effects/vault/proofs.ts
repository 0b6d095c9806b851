/** The key that revisions of ours are proved with. It is kept in Vault, and never leaves this process. */
import type { Clients } from '../../clients/index.ts';
import { type Proofs, proofKey } from '../../plan/ownership/provenance.ts';
import { type Fingerprint, fingerprintWith } from '../../plan/diff/sensitive.ts';
import { readReceipt } from './receipt.ts';

type Reading = Pick<Clients, 'vault' | 'redactor'>;

const KEPT_MILLISECONDS = 60_000;
/** A Vault that is away may be there in a moment. */
const AWAY_MILLISECONDS = 3000;
const PATIENCE_MILLISECONDS = 10_000;

interface Known {
  proofs: Proofs;
  /** Where Vault has it. */
  fingerprintKey?: string;
}

const kept = new WeakMap<Reading['vault'], { until: number; known: Promise<Known> }>();

/**
 * A few requests a minute, however many revisions are proved. Changes nothing: a sealed Vault stays sealed.
 * @returns without a key, and with the reason, where Vault could not be asked or has none yet. Never throws.
 */
export async function readProofs(clients: Reading): Promise<Proofs> {
  return (await read(clients)).proofs;
}

/**
 * For literals in findings that sound secret: the same value has the same fingerprint in every run. Without the key
 * nothing can be learned about a value.
 */
export async function readFingerprint(clients: Reading): Promise<Fingerprint> {
  const { fingerprintKey } = await read(clients);
  return fingerprintWith(fingerprintKey === undefined ? undefined : `literals ${fingerprintKey}`);
}

async function read(clients: Reading): Promise<Known> {
  const before = kept.get(clients.vault);
  if (before && before.until > performance.now()) return before.known;
  const entry = { until: performance.now() + KEPT_MILLISECONDS, known: ask(clients) };
  kept.set(clients.vault, entry);
  const known = await entry.known;
  if (known.proofs.key === undefined) entry.until = performance.now() + AWAY_MILLISECONDS;
  return known;
}

/** After what Vault holds of it was changed. */
export function forgetProofs({ vault }: Pick<Reading, 'vault'>): void {
  kept.delete(vault);
}

async function ask({ vault, redactor }: Reading): Promise<Known> {
  const signal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
  try {
    const { state, detail } = await vault.state(signal);
    if (state !== 'open') return { proofs: { reason: redactor.redact(detail) } };
    const { fingerprintKey, provedSince } = await vault.asDeployer((session) => readReceipt(session, signal), signal);
    if (fingerprintKey === undefined) return { proofs: { reason: 'Vault has no key for it yet' } };
    redactor.learn(fingerprintKey);
    const proofs = { key: proofKey(fingerprintKey), ...(provedSince === undefined ? {} : { since: provedSince }) };
    return { proofs, fingerprintKey };
  } catch (error) {
    return { proofs: { reason: redactor.redact(error instanceof Error ? error.message : String(error)) } };
  }
}
