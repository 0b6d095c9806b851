/**
 * Outputs that an environment takes its values from, without anything sensitive, in its folder: for workers in the
 * cluster, which have no file of Terraform's. They count where they are.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigurationError } from '../errors.ts';
import type { TerraformOutputs } from './file.ts';

const carriedSchema = z.record(
  z.string(),
  z.record(z.string(), z.strictObject({ value: z.unknown(), sensitive: z.boolean() })),
);

/** Beside `<environment>.yaml`. */
export const carriedFile = (environment: string): string => `${environment}.outputs.json`;

/** Pure. @param types by source: the outputs that are read */
export function carriedText(
  sources: Readonly<Record<string, TerraformOutputs>>,
  types: Readonly<Record<string, Readonly<Record<string, string>>>>,
): string {
  const carried = Object.entries(sources).map(([source, outputs]) => {
    const read = Object.entries(outputs).filter(([name]) => Object.hasOwn(types[source] ?? {}, name));
    return [
      source,
      Object.fromEntries(
        read.map(([name, { value, sensitive }]) => [name, { value: sensitive ? null : value, sensitive }]),
      ),
    ];
  });
  return `${JSON.stringify(Object.fromEntries(carried), undefined, 2)}\n`;
}

/** @returns undefined where there is none. @throws ConfigurationError for one that is damaged */
export async function readCarried(
  environment: string,
  folder: string,
): Promise<Record<string, TerraformOutputs> | undefined> {
  const file = carriedFile(environment);
  let text: string;
  try {
    text = await readFile(join(folder, file), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return carriedSchema.parse(JSON.parse(text));
  } catch {
    throw new ConfigurationError([{ file, field: '', message: 'is not what install has written: install again' }]);
  }
}
