/** Checks of a pod that need no other service: folders that it writes, keys of its own. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FolderCheck, MaterialCheck } from '../check.ts';

/** Makes the folder, as the program would, and writes a file. */
export function askFolder({ path }: FolderCheck): void {
  mkdirSync(path, { recursive: true });
  if (!statSync(path).isDirectory()) throw new Error(`${path} is no folder`);
  const file = join(path, `.stand-in-${process.pid}`);
  writeFileSync(file, '');
  rmSync(file);
}

/** Present, of the length that its reader insists on, signed with the key beside it. */
export function askMaterial({ value, length, signedWith }: MaterialCheck): void {
  if (value.trim() === '') throw new Error('it is empty');
  if (value.trim() !== value) throw new Error('white space stands around it');
  if (length !== undefined && value.length !== length)
    throw new Error(`it has ${value.length} characters, its reader wants ${length}`);
  if (signedWith === undefined) return;
  const [head = '', body = '', signature = ''] = value.split('.');
  const wanted = createHmac('sha256', signedWith).update(`${head}.${body}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw new Error('it was not signed with the key that this service got');
}
