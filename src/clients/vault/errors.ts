/** Errors of Vault: refusals, and reasons why it could not be asked. */
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';

/** A value in Vault is not text where text is expected: a person has to correct it. */
export class SecretFormatError extends AnantaError {
  override name = 'SecretFormatError';
  override readonly type = FAILURES.invalidInput;
}

/** Vault refused the request. */
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

/** Vault is sealed: it answers, but serves no data until it is unsealed. */
export class VaultSealedError extends AnantaError {
  override name = 'VaultSealedError';
  override readonly type = FAILURES.vaultSealed;
  override readonly next: readonly NextStep[] = [{ command: 'doctor' }];
}

/**
 * Vault is sealed, and people hold the unseal keys: the message says who has to do what. Waiting helps, since they may
 * unseal it meanwhile.
 */
export class VaultWaitsForPeopleError extends VaultSealedError {}

/** Vault is sealed and its unseal keys are not available: only a person can help. */
export class VaultKeysMissingError extends AnantaError {
  override name = 'VaultKeysMissingError';
  override readonly type = FAILURES.vaultKeysMissing;
  override readonly next: readonly NextStep[] = ['docs/do/runbook.md: "The unseal keys are lost"'];
}
