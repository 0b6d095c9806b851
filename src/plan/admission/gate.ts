/** Who may open a gate, and whether it is open. Pure. */
import {
  type Approval,
  type Attested,
  DECISIONS,
  type DecideRequest,
  type GateRule,
  type GateSubject,
} from '../../contract/admission/approvals.ts';
import { decisionPurpose } from './attestation.ts';
import { reasonProblem } from './override.ts';

/** A decision that was taken into account. */
export interface Decided {
  gate: string;
  digest: string;
  by: string;
  /** Milliseconds since the epoch, by the API server's clock. */
  at: number;
}

/** What can be said of a request before anybody is asked who made it. @returns why it is refused */
export function requestProblem(
  { gate, digest, decision, attestation, reason }: Partial<DecideRequest>,
  waiting: { gate: string; digest: string } | undefined,
): string | undefined {
  if (waiting === undefined) return 'The operation does not wait at a gate';
  if (gate !== waiting.gate) return `The operation waits at the gate ${waiting.gate}, not at ${String(gate)}`;
  if (decision === undefined || !DECISIONS.includes(decision)) return `A decision is ${DECISIONS.join(' or ')}`;
  if (digest !== waiting.digest)
    return `The plan ${String(digest)} is outdated: what waits is plan ${waiting.digest}. Look at it first`;
  if (typeof attestation !== 'string' || attestation === '') return 'Nothing proves who decides';
  if (decision === 'reject' || reason !== undefined) return reasonProblem(reason);
  return undefined;
}

export interface Judged {
  request: DecideRequest;
  rule: GateRule;
  attested: Attested;
  runId: string;
  /** Who asked for the operation; undefined: nobody has proved to. */
  requester: string | undefined;
  decided: readonly Decided[];
  /** Milliseconds since the epoch. */
  now: number;
}

/** @returns why the decision does not count */
export function decisionProblem({
  request,
  rule,
  attested,
  runId,
  requester,
  decided,
  now,
}: Judged): string | undefined {
  const { gate, digest, decision } = request;
  const { user } = attested;
  if (attested.purpose !== decisionPurpose(decision, gate, digest, runId))
    return `What ${user} has made in the cluster is for something else (${attested.purpose})`;
  if (!rule.by.some((subject) => isMeant(subject, attested)))
    return `${user} is none of those who decide at the gate ${gate}: ${subjectTexts(rule.by).join(', ')}`;
  // Whoever asked may take it back, too.
  if (decision === 'reject') return undefined;
  if (rule.notSelf && requester === undefined)
    return `Who asked for the operation has not been proved, and nobody may approve what they have asked for themselves (notSelf)`;
  if (rule.notSelf && requester === user)
    return `${user} has asked for the operation, and may not approve it as well (notSelf)`;
  if (Date.parse(attested.at) + rule.expiresSeconds * 1000 <= now) return `The approval of ${user} has expired`;
  if (standing(rule, digest, decided, now).some(({ by }) => by === user))
    return `${user} has approved already: another one is needed`;
  return undefined;
}

/** Approvals that count now: of this plan, not expired, one a person. */
export function standing(rule: GateRule, digest: string, decided: readonly Decided[], now: number): Approval[] {
  const newest = new Map<string, Decided>();
  for (const one of decided)
    if (one.gate === rule.name && one.digest === digest && one.at + rule.expiresSeconds * 1000 > now)
      newest.set(one.by, one);
  return [...newest.values()].map(({ by, at }) => ({
    by,
    at: new Date(at).toISOString(),
    until: new Date(at + rule.expiresSeconds * 1000).toISOString(),
  }));
}

export function subjectTexts(by: readonly GateSubject[]): string[] {
  return by.map((subject) => ('user' in subject ? subject.user : `group ${subject.group}`));
}

function isMeant(subject: GateSubject, { user, groups }: Attested): boolean {
  return 'user' in subject ? subject.user === user : groups.includes(subject.group);
}
