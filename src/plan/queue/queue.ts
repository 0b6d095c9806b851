/**
 * Who waits for the lock of an environment, as a value: what becomes of it when somebody asks, when the lock is free,
 * and when what was started is, or is not. The workflow carries out what is decided here. Pure.
 */
import type { QueueAnswer, QueueRequest } from '../../contract/lock.ts';

export interface Queue {
  /** Waits for its turn. */
  newest?: QueueRequest;
  /** Its deployment is being started. */
  starting?: QueueRequest;
  /** By request. */
  answers: Readonly<Record<string, QueueAnswer>>;
}

export const EMPTY_QUEUE: Queue = { answers: {} };

/** Only the newest request waits: earlier ones describe a platform that is no longer wanted. */
export function asked({ newest, starting, answers }: Queue, request: QueueRequest): Queue {
  return {
    newest: request,
    ...(starting === undefined ? {} : { starting }),
    answers: newest === undefined ? answers : answered(answers, newest, { overtakenBy: request.input.requestedBy }),
  };
}

/** The lock is free: from here on the newest is started, and one that comes later waits for the lock in its turn. */
export function begun({ newest, answers }: Queue): Queue {
  return { ...(newest === undefined ? {} : { starting: newest }), answers };
}

/** @param started undefined: somebody else had taken the lock in between */
export function settled(
  { newest, starting, answers }: Queue,
  started: { workflowId: string; runId: string } | undefined,
): Queue {
  if (starting === undefined) return { ...(newest === undefined ? {} : { newest }), answers };
  if (started !== undefined)
    return { ...(newest === undefined ? {} : { newest }), answers: answered(answers, starting, { started }) };
  if (newest === undefined) return { newest: starting, answers };
  return { newest, answers: answered(answers, starting, { overtakenBy: newest.input.requestedBy }) };
}

function answered(
  answers: Queue['answers'],
  { requestId }: QueueRequest,
  answer: QueueAnswer,
): Record<string, QueueAnswer> {
  return { ...answers, [requestId]: answer };
}
