/**
 * Turns an error of a handler into a HandlerError of Nexus: its type and whether it is retried follow from the failure
 * class alone.
 */
import { HandlerError, type HandlerErrorType } from 'nexus-rpc';
import { ServiceError } from '@temporalio/client';
import { classify } from '../../activities/failures.ts';
import type { Redactor } from '../../clients/redact.ts';
import { FAILURES, type FailureType, NON_RETRYABLE } from '../../contract/failures.ts';

/**
 * Types that every engine knows: one that is newer (`CONFLICT`) arrives as an error inside the handler, and is tried
 * again for ever. The class, in front of the words, is what callers tell apart.
 */
const TYPES: Partial<Record<FailureType, HandlerErrorType>> = {
  [FAILURES.forbidden]: 'UNAUTHORIZED',
  [FAILURES.notConfirmed]: 'UNAUTHORIZED',
  [FAILURES.versionUnknown]: 'NOT_FOUND',
  [FAILURES.unreachable]: 'UNAVAILABLE',
};

/** @returns without the cause: its words might hold what only our own log may */
export function handlerError(error: unknown, redactor: Pick<Redactor, 'redact'>): HandlerError {
  if (error instanceof HandlerError) return error;
  if (error instanceof ServiceError)
    return new HandlerError('UNAVAILABLE', 'The engine of the deployer does not answer', { retryableOverride: true });
  const { type, message } = classify(error);
  const retryable = !NON_RETRYABLE.includes(type);
  const fallback = retryable ? 'INTERNAL' : 'BAD_REQUEST';
  return new HandlerError(TYPES[type] ?? fallback, `${type}: ${redactor.redact(message)}`, {
    retryableOverride: retryable,
  });
}
