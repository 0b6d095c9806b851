/** Vault's answers that are no answers. */

/** What stands in Vault is no text where text is expected: a person has to put it right. */
export class SecretFormatError extends Error {
  override name = 'SecretFormatError';
}

/** Vault answered, and the answer is no. */
export class VaultError extends Error {
  override name = 'VaultError';
  /** HTTP status: 403 not allowed, 404 not there, 400 refused (a failed check-and-set among others), 503 sealed. */
  readonly status: number;

  constructor(request: string, status: number, message: string) {
    super(`Vault, ${request}: ${status} ${message}`);
    this.status = status;
  }
}

/** There is no pod of Vault to talk to, or it does not answer. */
export class VaultUnreachableError extends Error {
  override name = 'VaultUnreachableError';
}

/** Sealed: it answers, but knows nothing until it is unsealed. */
export class VaultSealedError extends Error {
  override name = 'VaultSealedError';
}

/**
 * Sealed, and people hold what opens it: the message says who has to do what. Waiting helps, since they do it
 * meanwhile.
 */
export class VaultWaitsForPeopleError extends VaultSealedError {}

/** Only a person can help: the keys that would open it are not there. */
export class VaultKeysMissingError extends Error {
  override name = 'VaultKeysMissingError';
}
