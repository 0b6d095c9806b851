/**
 * What may be done to a protected environment, and by whose word. The workers ask, so that it counts for every client.
 * Pure.
 */
import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';
import type { RunRef } from '../../contract/operations/deploy.ts';
import type { DriftMode } from '../../contract/drift.ts';
import type { Operation } from '../../contract/operations/plan.ts';

/** It is protected, and nobody has confirmed this. Nothing was touched. */
export class NotConfirmedError extends AnantaError {
  override name = 'NotConfirmedError';
  override readonly type = FAILURES.notConfirmed;
  override readonly exitCode = EXIT_CODES.refused;
}

export interface Asked {
  run: Pick<RunRef, 'environment' | 'requestedBy' | 'confirmation'>;
  /** Undefined: it is not known what the step belongs to. */
  operation: Operation | undefined;
  /** As the environment's file says now: a repair that it asks for needs nobody's word. */
  driftMode: DriftMode;
  /** Its file has secrets rotated by themselves: that needs nobody's word either. */
  rotates?: boolean;
}

/**
 * Of a protected environment.
 * @throws NotConfirmedError that says what to do instead
 */
export function requirePermitted({ run, operation, driftMode, rotates = false }: Asked): void {
  const name = run.environment;
  if (operation === 'destroy') {
    throw new NotConfirmedError(
      `"${name}" is protected: it is not taken down, whoever asks. To lift that on purpose: protected: false in its file, then ananta rebind --env ${name} --lift-protection. Nothing was changed.`,
    );
  }
  if (operation === 'repair' && driftMode === 'repair') return;
  if (operation === 'rotate' && rotates) return;
  if (operation !== undefined && isConfirmed(run, operation)) return;
  const what = operation ?? 'an operation that does not say what it is';
  throw new NotConfirmedError(
    `"${name}" is protected, and ${what} was started without its confirmation${run.confirmation === undefined ? '' : ' (the one that it carries was given for something else)'}: ` +
      `a workflow started by hand has none, and a command of an earlier version has none either. ` +
      `Start it with the command, which asks for the environment's name or takes it from --confirm ${name}. Nothing was changed.`,
  );
}

/** Bound to the environment, to what is done, and to whoever asked for it. */
function isConfirmed({ environment, requestedBy, confirmation }: Asked['run'], operation: Operation): boolean {
  return (
    confirmation !== undefined &&
    confirmation.environment === environment &&
    confirmation.operation === operation &&
    confirmation.requestedBy === requestedBy
  );
}
