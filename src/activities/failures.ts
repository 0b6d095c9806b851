/**
 * Every error that leaves an activity passes here: classed once, freed of secret values, in words that say what was
 * tried and what came back. Whether it is tried again follows from its class alone.
 */
import { AnantaError } from '../contract/errors.ts';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { z } from 'zod';
import { ClusterLoginError } from '../clients/kubernetes/index.ts';
import type { Redactor } from '../clients/redact.ts';
import { FAILURES, type FailureType, NON_RETRYABLE } from '../contract/failures.ts';

/** The engine refuses larger ones. */
const LONGEST_MESSAGE = 8 * 1024;

const WORKERS_OWN = "This is the worker's own log-in: it has the variables of the shell that started it";

/** Class and text of any error, before redaction. */
export function classify(error: unknown): { type: FailureType; message: string } {
  if (error instanceof ClusterLoginError) return { type: error.type, message: `${error.message}. ${WORKERS_OWN}` };
  if (error instanceof AnantaError) return { type: error.type, message: error.message };
  if (error instanceof z.ZodError)
    return {
      type: FAILURES.unexpected,
      message: `an answer has an unexpected shape: ${error.issues
        .slice(0, 3)
        .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
        .join('; ')}`,
    };
  return { type: FAILURES.unexpected, message: error instanceof Error ? error.message : String(error) };
}

/**
 * @param cancelled whether the activity was asked to stop: then that is what happened, whatever was thrown on the way
 * @param enough for a class that is tried again, says in words that it was tried long enough: then this is final
 */
export function asFailure(
  error: unknown,
  redactor: Redactor,
  cancelled: boolean,
  enough: (type: FailureType, message: string) => string | undefined = () => undefined,
): Error {
  if (cancelled)
    return new CancelledFailure(`stopped: ${redactor.redact(error instanceof Error ? error.message : String(error))}`);
  const { type, message } = classify(error);
  const final = enough(type, message);
  const failure = ApplicationFailure.create({
    message: bounded(redactor.redact(message), final),
    type,
    nonRetryable: final !== undefined || NON_RETRYABLE.includes(type),
  });
  // The engine keeps stack traces in plain text; theirs would repeat the message unredacted.
  failure.stack = `${failure.name}: ${failure.message}`;
  return failure;
}

/** Keeps the beginning (what was tried) and the end (often what came back). */
function bounded(message: string, final: string | undefined): string {
  const kept =
    message.length <= LONGEST_MESSAGE
      ? message
      : `${message.slice(0, (LONGEST_MESSAGE * 3) / 4)} … (${message.length} characters, the middle is left out) … ${message.slice(-LONGEST_MESSAGE / 4)}`;
  return final === undefined ? kept : `${kept.replace(/[.\s]+$/, '')}. ${final}`;
}
