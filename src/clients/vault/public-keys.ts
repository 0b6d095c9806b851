/**
 * Operators' OpenPGP public keys, in the form that Vault takes: binary, as base64. Whether it is a sound key, Vault
 * says.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';

export interface PublicKey {
  /** The file's name: for messages, and for whoever hands out the shares. */
  name: string;
  /** Base64 of the binary key. */
  base64: string;
}

const ARMOR = /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/;

/** A file that the environment names holds no public key. */
export class PublicKeyError extends AnantaError {
  override name = 'ConfigurationError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
}

/** @throws PublicKeyError that names the file and what it holds instead */
export async function readPublicKey(path: string): Promise<PublicKey> {
  const content = await readFile(path).catch((error: unknown) => {
    throw new PublicKeyError(
      `The public key ${path} cannot be read: ${(error as Error).message}. Export it with: gpg --armor --export NAME > FILE`,
    );
  });
  return { name: basename(path), base64: toBase64(content, path) };
}

function toBase64(content: Buffer, path: string): string {
  const text = content.toString('latin1');
  if (text.includes('PRIVATE KEY BLOCK'))
    throw new PublicKeyError(
      `${path} holds a private key: its owner alone may have it. Export the public one with: gpg --armor --export NAME > FILE`,
    );
  const armored = ARMOR.exec(text)?.[1];
  if (armored === undefined) {
    // A binary key begins with a packet of the public key's tag (6), in the old or the new form.
    const tag = content[0] ?? 0;
    if ((tag & 0xfc) !== 0x98 && tag !== 0xc6)
      throw new PublicKeyError(
        `${path} holds no OpenPGP public key. Export one with: gpg --armor --export NAME > FILE`,
      );
    return content.toString('base64');
  }
  // After the headers a blank line; the line with = is a checksum.
  const lines = armored.split(/\r?\n/);
  const body = lines.slice(lines.indexOf('') + 1).filter((line) => line !== '' && !line.startsWith('='));
  return Buffer.from(body.join(''), 'base64').toString('base64');
}
