/** Encryption of backups as the tool age does it: for public keys, so that who writes them cannot read them. */
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';

export interface KeyPair {
  /** For the environment's file. */
  recipient: string;
  /** Secret, in the form of `age-keygen`. */
  identity: string;
}

/** The private key is missing, or no private key. Never with what was read. */
export class IdentityError extends AnantaError {
  override name = 'IdentityError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[] = [
    'Name the file with the private key of one of backup.recipients: --identity FILE',
  ];
}

// The library is loaded by whoever makes or reads a backup, and by nobody else.
const age = (): Promise<typeof import('age-encryption')> => import('age-encryption');

export async function makeKeyPair(): Promise<KeyPair> {
  const { generateX25519Identity, identityToRecipient } = await age();
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** @throws Error that names a recipient that is none */
export async function encrypted(plain: Readable, recipients: readonly string[]): Promise<Readable> {
  const { Encrypter } = await age();
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (error) {
      throw new IdentityError(
        `backup.recipients: ${recipient} is no public key of age (${error instanceof Error ? error.message : String(error)}).`,
      );
    }
  }
  return fromWeb(await encrypter.encrypt(Readable.toWeb(plain) as globalThis.ReadableStream<Uint8Array>));
}

/** @throws IdentityError when none of the keys opens it; a later error of the stream: it was changed, or is cut off */
export async function decrypted(cipher: Readable, identities: readonly string[]): Promise<Readable> {
  const { Decrypter } = await age();
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return fromWeb(await decrypter.decrypt(Readable.toWeb(cipher) as globalThis.ReadableStream<Uint8Array>));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw /no identity matched/i.test(message)
      ? new IdentityError('It is encrypted for other keys than the one that was given.')
      : error;
  }
}

/** @returns the keys of a file as `age-keygen` writes it: one a line, comments besides */
export async function readIdentities(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new IdentityError(`${path} cannot be read (${codeOf(error)}).`);
  });
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0 || !lines.every((line) => /^AGE-SECRET-KEY-(PQ-)?1[02-9AC-HJ-NP-Z]+$/.test(line)))
    throw new IdentityError(`${path} holds no private keys of age, one a line (AGE-SECRET-KEY-1…).`);
  return lines;
}

function fromWeb(stream: globalThis.ReadableStream<Uint8Array>): Readable {
  return Readable.fromWeb(stream);
}

/** Of an error of the file system. */
function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}
