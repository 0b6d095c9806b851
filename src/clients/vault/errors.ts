/** Vault's answers that are no answers. */
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';

/** What stands in Vault is no text where text is expected: a person has to put it right. */
export class SecretFormatError extends AnantaError {
  override name = 'SecretFormatError';
  override readonly type = FAILURES.invalidInput;
}

/** Vault answered, and the answer is no. */
export class VaultError extends AnantaError {
  override name = 'VaultError';
  override readonly next: readonly NextStep[] = [{ command: 'status' }];
  /** HTTP status: 403 not allowed, 404 not there, 400 refused (a failed check-and-set among others), 503 sealed. */
  readonly status: number;

  constructor(request: string, status: number, message: string) {
    super(`Vault, ${request}: ${status} ${message}`);
    this.status = status;
  }
}

/** There is no pod of Vault to talk to, or it does not answer. */
export class VaultUnreachableError extends AnantaError {
  override name = 'VaultUnreachableError';
  override readonly type = FAILURES.unreachable;
  override readonly next: readonly NextStep[] = [{ command: 'doctor' }];
}

/** Sealed: it answers, but knows nothing until it is unsealed. */
export class VaultSealedError extends AnantaError {
  override name = 'VaultSealedError';
  override readonly type = FAILURES.vaultSealed;
  override readonly next: readonly NextStep[] = [{ command: 'doctor' }];
}

/**
 * Sealed, and people hold what opens it: the message says who has to do what. Waiting helps, since they do it
 * meanwhile.
 */
export class VaultWaitsForPeopleError extends VaultSealedError {}

/** Only a person can help: the keys that would open it are not there. */
export class VaultKeysMissingError extends AnantaError {
  override name = 'VaultKeysMissingError';
  override readonly type = FAILURES.vaultKeysMissing;
  override readonly next: readonly NextStep[] = ['docs/do/runbook.md: "The unseal keys are lost"'];
}
