/** What a rehearsal is about, and how much one that is kept counts for a plan. Pure. */
import { digestOf } from '../digest.ts';
import type { Certificate } from './certificate.ts';

/** Over what every release is made from: the same wherever it is deployed, and whatever is there already. */
export function contentDigest(inputs: ReadonlyMap<string, { digest: string }>): string {
  return digestOf([...inputs].map(([name, { digest }]) => [name, digest]).sort());
}

/** As rules of the policy read it: `plan.rehearsal`. */
export interface RehearsalFact {
  /** There is a certificate that has passed, of this environment and of exactly this content. */
  passed: boolean;
  /** Its age; 0 where there is none. */
  hours: number;
  /** Disturbed runs. */
  runs: bigint;
  /** Faults in all of them together. */
  faults: bigint;
  /** Why it has not passed; else empty. */
  reason: string;
}

const HOUR_MS = 3_600_000;

/**
 * @param certificate as it was read; a text: why there is none
 * @param now milliseconds of the epoch
 */
export function rehearsalFact(
  certificate: Certificate | string,
  { environment, content, now }: { environment: string; content: string; now: number },
): RehearsalFact {
  if (typeof certificate === 'string') return { passed: false, hours: 0, runs: 0n, faults: 0n, reason: certificate };
  const { runs, plan, at, passed } = certificate;
  const reason =
    certificate.environment !== environment
      ? `the certificate is of ${certificate.environment}`
      : plan.content !== content
        ? `the certificate is of other charts, values or images (${plan.content}, wanted is ${content})`
        : passed
          ? ''
          : 'the rehearsal has not passed';
  return {
    passed: reason === '',
    // A clock that is behind makes no certificate younger than new.
    hours: Math.max(0, (now - Date.parse(at)) / HOUR_MS),
    runs: BigInt(runs.length),
    faults: BigInt(runs.reduce((sum, { faults }) => sum + faults.length, 0)),
    reason,
  };
}

/** Whether a rule has to know of it. */
export function readsRehearsal({ rule }: { rule: string }): boolean {
  return /\bplan\s*\.\s*rehearsal\b/.test(rule);
}
