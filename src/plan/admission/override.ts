import type { FreezeOverride, OverrideRequest } from '../../contract/admission/freeze.ts';
import type { DeployInput, OperationInput, OperationWait } from '../../contract/operations/deploy.ts';
import type { Operation } from '../../contract/operations/plan.ts';
import { asksOf } from '../../contract/operations/start-options.ts';

const MOST_CHARACTERS = 500;

/** @returns why a freeze is not overridden for an operation that waits for `waits`; undefined: it is. Pure. */
export function overrideProblem(
  { by, reason, attestation }: Partial<FreezeOverride>,
  waits: OperationWait | undefined,
): string | undefined {
  if (waits?.step !== 'freeze')
    return `Nothing waits for the end of a freeze${waits === undefined ? '' : `: the operation ${waits.reason}`}`;
  if (typeof by !== 'string' || by.trim() === '') return 'Who overrides the freeze has to be said';
  if (typeof attestation !== 'string' || attestation === '') return 'Nothing proves who overrides the freeze';
  return reasonProblem(reason);
}

/** What the proof of whoever overrides a freeze is made for, before the operation is started. */
export function overrideRequest(
  operation: Operation,
  input: Pick<OperationInput, 'environment' | 'clusterUid' | 'expectedDigest'> & Partial<DeployInput>,
  reason: string,
): OverrideRequest {
  const { environment, clusterUid, expectedDigest = '' } = input;
  return { environment, clusterUid, operation, reason, asks: asksOf(input) ?? expectedDigest };
}

/** Of what a person decides: it is read long afterwards. */
export function reasonProblem(reason: unknown): string | undefined {
  if (typeof reason !== 'string' || reason.trim() === '') return 'A reason is needed: it is kept in the audit trail';
  if (/\p{Cc}/u.test(reason)) return 'The reason has to be one line, without control characters';
  if (reason.length > MOST_CHARACTERS) return `The reason has ${reason.length} characters: at most ${MOST_CHARACTERS}`;
  return undefined;
}
