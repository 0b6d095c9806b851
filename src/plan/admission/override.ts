import type { OperationWait } from '../../contract/operations/deploy.ts';
import type { FreezeOverride } from '../../contract/admission/freeze.ts';

const MOST_CHARACTERS = 500;

/** @returns why a freeze is not overridden for an operation that waits for `waits`; undefined: it is. Pure. */
export function overrideProblem(
  { by, reason }: Partial<FreezeOverride>,
  waits: OperationWait | undefined,
): string | undefined {
  if (waits?.step !== 'freeze')
    return `Nothing waits for the end of a freeze${waits === undefined ? '' : `: the operation ${waits.reason}`}`;
  if (typeof by !== 'string' || by.trim() === '') return 'Who overrides the freeze has to be said';
  return reasonProblem(reason);
}

/** Of what a person decides: it is read long afterwards. */
export function reasonProblem(reason: unknown): string | undefined {
  if (typeof reason !== 'string' || reason.trim() === '') return 'A reason is needed: it is kept in the audit trail';
  if (/\p{Cc}/u.test(reason)) return 'The reason has to be one line, without control characters';
  if (reason.length > MOST_CHARACTERS) return `The reason has ${reason.length} characters: at most ${MOST_CHARACTERS}`;
  return undefined;
}
