/**
 * Values that third parties issue. They belong into Vault; before Vault exists, what an operator sets waits in a 0600
 * file
 * beside the unseal keys and moves into Vault with the first deployment.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { SecretKey } from '../../catalog/schema.ts';
import type { Redactor } from '../../clients/redact.ts';
import type { Environment } from '../../environment/schema.ts';
import { removeDurably, writeFileDurably } from '../../process/files.ts';
import { randomText } from './generate.ts';

/** By path, then key. */
export type Waiting = Record<string, Record<string, string>>;

const waitingSchema = z.record(z.string(), z.record(z.string(), z.string()));
/** What stands in for a value that nobody has supplied yet. */
const PLACEHOLDER = 'placeholder-';

export interface WaitingFile {
  read(): Promise<Waiting>;
  set(path: string, key: string, value: string): Promise<void>;
  remove(): Promise<void>;
}

export function waitingFile(stateDir: string, redactor: Redactor): WaitingFile {
  const file = join(stateDir, 'supplied-secrets.json');
  const read = async (): Promise<Waiting> => {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw error;
    }
    const waiting = waitingSchema.parse(JSON.parse(text));
    for (const values of Object.values(waiting)) redactor.learn(...Object.values(values));
    return waiting;
  };
  return {
    read,
    set: async (path, key, value) => {
      redactor.learn(value);
      const waiting = await read();
      await writeFileDurably(file, JSON.stringify({ ...waiting, [path]: { ...waiting[path], [key]: value } }));
    },
    remove: () => removeDurably(file),
  };
}

export function isPlaceholder(value: string): boolean {
  return value.startsWith(PLACEHOLDER);
}

export function placeholder(): string {
  return `${PLACEHOLDER}${randomText('alphanumeric', 24)}`;
}

type Supplied = Extract<SecretKey, { kind: 'supplied' }>;

/** Whether the deployment has to wait for a real value. */
export function isRequired(environment: Pick<Environment, 'suppliedSecrets'>, key: Supplied): boolean {
  return environment.suppliedSecrets === 'required' && key.initially === 'required';
}

/** Whether a value that is there will do. */
export function isGoodEnough(
  environment: Pick<Environment, 'suppliedSecrets'>,
  key: Supplied,
  value: string | undefined,
): boolean {
  return value !== undefined && !(isRequired(environment, key) && isPlaceholder(value));
}
