/**
 * Values that third parties issue. They belong into Vault; before Vault exists, what an operator sets waits in a 0600
 * file beside the unseal keys and moves into Vault with the first deployment.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { SecretKey } from '../../../catalog/schema.ts';
import type { Clients } from '../../../clients/index.ts';
import type { Environment } from '../../../environment/schema.ts';
import { removeDurably, writeFileDurably } from '../../../process/files.ts';
import { randomText } from './generate.ts';

/** By path, then key. */
export type Waiting = Record<string, Record<string, string>>;

const waitingSchema = z.record(z.string(), z.record(z.string(), z.string()));
/** What stands in for a value that nobody has supplied yet. */
const PLACEHOLDER = 'placeholder-';

export interface WaitingValues {
  read(): Promise<Waiting>;
  /** Beside those that wait already. */
  add(values: Waiting): Promise<void>;
  remove(): Promise<void>;
}

/** Where values wait: beside the unseal keys, in the place that the environment names for them. */
export function waitingFor({
  connections: { stateDir },
  redactor,
  vault: {
    keys: { waiting: beside },
  },
}: Pick<Clients, 'connections' | 'redactor' | 'vault'>): WaitingValues {
  const file = join(stateDir, 'supplied-secrets.json');
  const parsed = (text: string): Waiting => {
    const waiting = waitingSchema.parse(JSON.parse(text));
    for (const values of Object.values(waiting)) redactor.learn(...Object.values(values));
    return waiting;
  };
  const inFile = async (): Promise<string> => {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '{}';
      throw error;
    }
  };
  const read = async (): Promise<Waiting> => merged(parsed(await inFile()), parsed((await beside?.read()) ?? '{}'));
  return {
    read,
    add: async (values) => {
      for (const more of Object.values(values)) redactor.learn(...Object.values(more));
      const text = JSON.stringify(merged(await read(), values));
      if (beside) await beside.write(text);
      else await writeFileDurably(file, text);
    },
    remove: async () => {
      await removeDurably(file);
      await beside?.write(undefined);
    },
  };
}

function merged(before: Waiting, more: Waiting): Waiting {
  return {
    ...before,
    ...Object.fromEntries(Object.entries(more).map(([path, values]) => [path, { ...before[path], ...values }])),
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
