/**
 * How long a step is retried, by the class of its failure. Failures that pass by themselves (an API server that
 * restarts) get time; the same error message again and again ends the step with that message.
 */
import { FAILURES, type FailureType, NON_RETRYABLE } from '../../contract/failures.ts';
import type { Environment } from '../../environment/schema.ts';

export interface Bound {
  /** From the first failure of this class on. */
  seconds: number;
  /** Gives up after the same error so many times in a row and for at least so many seconds. */
  same?: { times: number; seconds: number };
  /** What a person can do. */
  help: string;
}

const MINUTE = 60;

/** Every step ends after this time at the latest, also where each attempt is killed before it can report an error. */
export const LONGEST_SECONDS = 24 * 60 * MINUTE;

/** @returns undefined for a class that is never tried again */
export function boundOf(
  type: FailureType,
  message: string,
  { retries }: Pick<Environment, 'retries'>,
): Bound | undefined {
  if (NON_RETRYABLE.includes(type)) return undefined;
  switch (type) {
    case FAILURES.unreachable:
      return /\b401\b|Unauthorized|provide credentials/.test(message)
        ? { seconds: 10 * MINUTE, help: 'Renew the credentials of the kubeconfig, then deploy again.' }
        : /x509|certificate|self.signed/i.test(message)
          ? {
              seconds: 10 * MINUTE,
              help: /expired|not yet valid|CERT_NOT_YET_VALID/i.test(message)
                ? 'Correct the clock of the worker, or renew the certificate, then deploy again.'
                : 'Correct the certificate, or the authority that is trusted, then deploy again.',
            }
          : {
              seconds: retries.unreachableSeconds,
              help: 'Bring back what does not answer, then deploy again: it goes on from here. How long is waited: retries.unreachableSeconds of the environment.',
            };
    case FAILURES.webhookFailed:
      return {
        seconds: 5 * MINUTE,
        help: "Repair the webhook's server, its Service or its certificate (kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations), then deploy again.",
      };
    case FAILURES.releaseBusy:
      return {
        seconds: 30 * MINUTE,
        help: 'End whoever is at work on the release, or let them finish, then deploy again.',
      };
    case FAILURES.vaultSealed:
      return {
        seconds: retries.sealedSeconds,
        help: 'Unseal Vault, then deploy again: it goes on from here. How long is waited: retries.sealedSeconds of the environment.',
      };
    case FAILURES.helmInterrupted:
      return {
        seconds: 20 * MINUTE,
        help: "Look into Helm's log and at the API server, then deploy again; helm.timeoutSeconds of the environment says when one is ended.",
      };
    default:
      return {
        seconds: 15 * MINUTE,
        same: { times: 10, seconds: MINUTE },
        help: /permission denied/.test(message)
          ? "Vault lets the deployer not do that: look at the policy of its role and at Vault's audit log, then deploy again."
          : 'Correct the cause, then deploy again: it goes on from here.',
      };
  }
}
