/**
 * Outputs as Terraform and OpenTofu write them: a state file (version 4), or `output -json`. Values of sensitive ones
 * are never in a message.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { tryJson } from '../../try-json.ts';
import { isTree } from '../files/merge.ts';

export interface TerraformOutput {
  value: unknown;
  sensitive: boolean;
}
export type TerraformOutputs = Record<string, TerraformOutput>;

/** A state of thousands of resources has some ten of them. */
const MOST_BYTES = 256 * 1024 * 1024;
const STATE_FORMAT = 4;

const outputsSchema = z.record(z.string(), z.object({ value: z.unknown(), sensitive: z.boolean().default(false) }));

/** @returns its outputs, or what is wrong with the file, as the rest of a sentence */
export async function readOutputs(path: string): Promise<TerraformOutputs | string> {
  try {
    // Without waiting for a writer, if it is a pipe.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await file.stat();
      if (!found.isFile()) return 'is no file';
      if (found.size > MOST_BYTES) return `is larger than ${MOST_BYTES / 1024 ** 2} MiB`;
      return outputsIn(await file.readFile('utf8'));
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? 'is not there: terraform output -json > FILE (tofu output -json) writes it'
      : `cannot be read: ${message}`;
  }
}

/** Pure. @param text of the file */
export function outputsIn(text: string): TerraformOutputs | string {
  const json = tryJson(text);
  if (!isTree(json))
    return 'is neither a state nor what terraform output -json (tofu output -json) writes: it holds no JSON object';
  if ('encrypted_data' in json)
    return 'is a state that OpenTofu has encrypted: tofu output -json > FILE writes its outputs readable';
  if (typeof json['format_version'] === 'string')
    return 'is what "terraform show -json" writes: take the state itself, or terraform output -json';
  const isState = typeof json['version'] === 'number';
  if (isState && json['version'] !== STATE_FORMAT)
    return `has version ${String(json['version'])} of the state's format: version ${STATE_FORMAT} is read`;
  const parsed = outputsSchema.safeParse(isState ? (json['outputs'] ?? {}) : json);
  // Where, and not what: the message of a check may hold what stands there.
  return parsed.success
    ? parsed.data
    : `is not what Terraform writes, at ${parsed.error.issues[0]?.path.join('.') ?? ''}`;
}
