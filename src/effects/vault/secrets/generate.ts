/** Values of Vault paths: made once from the operating system's randomness, never over an existing value. */
import { createHmac, randomBytes, randomInt, randomUUID } from 'node:crypto';
import bcrypt from 'bcryptjs';
import type { SecretKey, SecretPath } from '../../../catalog/schema.ts';

export interface Sources {
  /** A value of another path, as far as it is known already. */
  valueOf(path: string, key: string): string | undefined;
  /** What a third party issued, or its placeholder; undefined where it is still to be supplied. */
  supplied(path: string, key: Extract<SecretKey, { kind: 'supplied' }>): string | undefined;
}

export interface Completed {
  data: Record<string, string>;
  /** Names of the keys that were added. */
  added: string[];
  /** Keys for which something is missing: a supplied value, or the value they are made from. */
  unresolved: SecretKey[];
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const BCRYPT_COST = 10;
const JWT_YEARS = 10;

/** Adds what is missing of a path; existing values stay as they are. */
export async function complete(
  path: SecretPath,
  existing: Readonly<Record<string, string>>,
  sources: Sources,
  now: Date = new Date(),
): Promise<Completed> {
  const data: Record<string, string> = { ...existing };
  const added: string[] = [];
  const unresolved: SecretKey[] = [];
  // Values that are made from others of the same path come after those.
  for (const key of [...path.keys].sort((a, b) => Number(isDerived(a)) - Number(isDerived(b)))) {
    if (data[key.name] !== undefined) continue;
    const value = await valueFor(key, path.path, data, sources, now);
    if (value === undefined) unresolved.push(key);
    else {
      data[key.name] = value;
      added.push(key.name);
    }
  }
  return { data, added, unresolved };
}

function isDerived(key: SecretKey): boolean {
  return key.kind === 'jwt' || key.kind === 'bcrypt';
}

async function valueFor(
  key: SecretKey,
  path: string,
  data: Readonly<Record<string, string>>,
  sources: Sources,
  now: Date,
): Promise<string | undefined> {
  switch (key.kind) {
    case 'generated':
      return randomText(key.format, key.length);
    case 'fixed':
      return key.value;
    case 'copy':
      return sources.valueOf(key.from.path, key.from.key);
    case 'supplied':
      return sources.supplied(path, key);
    case 'jwt': {
      const secret = data[key.signedWith];
      return secret === undefined ? undefined : signJwt(key.claims, secret, now);
    }
    case 'bcrypt': {
      const value = data[key.of];
      // `2a` and `2b` mean the same for passwords of ordinary length, and every library knows the older name.
      return value === undefined ? undefined : (await bcrypt.hash(value, BCRYPT_COST)).replace(/^\$2b\$/, '$2a$');
    }
  }
}

/** @param length in characters; a UUID has its own */
export function randomText(format: Extract<SecretKey, { kind: 'generated' }>['format'], length: number): string {
  switch (format) {
    case 'alphanumeric':
      return Array.from({ length }, () => ALPHANUMERIC[randomInt(ALPHANUMERIC.length)]).join('');
    case 'hex':
      return randomBytes(Math.ceil(length / 2))
        .toString('hex')
        .slice(0, length);
    case 'base64':
      return randomBytes(bytesFor(length)).toString('base64').slice(0, length);
    case 'uuid':
      return randomUUID();
  }
}

/**
 * Of the numbers of bytes that give so many characters, the one a cipher can use as a key: 44 characters hold 32 bytes.
 */
function bytesFor(characters: number): number {
  const most = Math.ceil((characters * 3) / 4);
  return [most, most - 1, most - 2].find((bytes) => bytes % 8 === 0 && bytes > 0) ?? most;
}

function signJwt(claims: Readonly<Record<string, string>>, secret: string, now: Date): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const issued = Math.floor(now.getTime() / 1000);
  const unsigned = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ ...claims, iat: issued, exp: issued + JWT_YEARS * 365 * 24 * 3600 })}`;
  return `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`;
}
