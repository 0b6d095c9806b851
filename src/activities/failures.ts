/**
 * Every error that leaves an activity passes here: classed once, freed of secret values, in words that say what was
 * tried and what came back. Whether it is tried again follows from its class alone.
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { z } from 'zod';
import { ChartDigestError, ChartUnavailableError } from '../clients/charts/index.ts';
import { DamagedRecordError, HelmError } from '../clients/helm/index.ts';
import {
  ClusterLoginError,
  ClusterMismatchError,
  KubernetesError,
  UnreachableError,
} from '../clients/kubernetes/index.ts';
import type { Redactor } from '../clients/redact.ts';
import {
  SecretFormatError,
  VaultKeysMissingError,
  VaultSealedError,
  VaultUnreachableError,
} from '../clients/vault/index.ts';
import { FAILURES, type FailureType, NON_RETRYABLE } from '../contract/failures.ts';
import { OwnerMismatchError } from '../plan/ownership/ownership.ts';
import { NotConfirmedError } from '../plan/ownership/protection.ts';
import { RollbackRefusedError } from '../plan/versions/rollback-refused.ts';

/** Thrown by activities on purpose. */
export class DeployError extends Error {
  override name = 'DeployError';
  readonly type: FailureType;

  constructor(type: FailureType, message: string) {
    super(message);
    this.type = type;
  }
}

const WORKERS_OWN = "This is the worker's own log-in: it has the variables of the shell that started it";

/** Class and text of any error, before redaction. */
export function classify(error: unknown): { type: FailureType; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof DeployError || error instanceof HelmError) return { type: error.type, message };
  if (error instanceof RollbackRefusedError) return { type: error.type, message };
  if (error instanceof KubernetesError) return { type: typeOfKubernetes(error), message };
  if (error instanceof UnreachableError || error instanceof VaultUnreachableError)
    return { type: FAILURES.unreachable, message };
  if (error instanceof ClusterLoginError) {
    // Tokens are fetched over networks: what worked once may work again. What never did is for a person.
    return {
      type: error.hadWorked ? FAILURES.unreachable : FAILURES.invalidInput,
      message: `${message}. ${WORKERS_OWN}`,
    };
  }
  if (error instanceof ChartUnavailableError) return { type: FAILURES.unreachable, message };
  if (error instanceof ChartDigestError) return { type: FAILURES.chartInvalid, message };
  if (error instanceof ClusterMismatchError) return { type: FAILURES.clusterMismatch, message };
  if (error instanceof OwnerMismatchError) return { type: FAILURES.clusterOwned, message };
  if (error instanceof NotConfirmedError) return { type: FAILURES.notConfirmed, message };
  if (error instanceof VaultKeysMissingError) return { type: FAILURES.vaultKeysMissing, message };
  if (error instanceof SecretFormatError) return { type: FAILURES.invalidInput, message };
  if (error instanceof VaultSealedError) return { type: FAILURES.vaultSealed, message };
  if (error instanceof DamagedRecordError) return { type: FAILURES.damagedRecord, message };
  // Of the pure parts, which know no classes of ours.
  if (error instanceof Error && error.name === 'ForeignReleaseError') return { type: FAILURES.notOurs, message };
  if (error instanceof Error && error.name === 'DependencyMissingError')
    return { type: FAILURES.dependencyMissing, message };
  if (
    error instanceof Error &&
    ['PlanRefusedError', 'SelectionError', 'CatalogError', 'ConfigurationError', 'ChartLockError'].includes(error.name)
  )
    return { type: FAILURES.invalidInput, message };
  if (error instanceof z.ZodError)
    return {
      type: FAILURES.unexpected,
      message: `an answer has an unexpected shape: ${error.issues
        .slice(0, 3)
        .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
        .join('; ')}`,
    };
  return { type: FAILURES.unexpected, message };
}

function typeOfKubernetes(error: KubernetesError): FailureType {
  if (error.status === 403)
    return /exceeded quota|violates PodSecurity|denied/.test(error.message)
      ? FAILURES.rejectedByCluster
      : FAILURES.forbidden;
  if (error.status === 409 && /conflict/i.test(error.message) && error.reason !== 'AlreadyExists')
    return FAILURES.fieldConflict;
  if (error.status === 400 || error.status === 413 || error.status === 422)
    return /immutable/.test(error.message) ? FAILURES.immutableField : FAILURES.rejectedByCluster;
  if (/failed calling webhook/.test(error.message)) return FAILURES.webhookFailed;
  if (/range is full/.test(error.message)) return FAILURES.rejectedByCluster;
  // 401 after the kubeconfig was read again, 429, and everything the server itself has trouble with.
  if (error.status === 401 || error.status === 429 || error.status >= 500) return FAILURES.unreachable;
  return FAILURES.unexpected;
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
    message: redactor.redact(final === undefined ? message : `${message.replace(/[.\s]+$/, '')}. ${final}`),
    type,
    nonRetryable: final !== undefined || NON_RETRYABLE.includes(type),
  });
  // The engine keeps stack traces in plain text; theirs would repeat the message unredacted.
  failure.stack = `${failure.name}: ${failure.message}`;
  return failure;
}
