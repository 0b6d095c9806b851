/** Helm values of single releases that an environment says on top of all others. */
import { z } from 'zod';
import { holdsSecret } from '../../sensitive-name.ts';
import type { Finding } from '../explain.ts';
import type { Tree } from '../files/merge.ts';
import { secretPaths } from '../secret-paths.ts';

export const valuesSchema = z
  .record(z.string(), z.record(z.string(), z.unknown()))
  .default({})
  .describe(
    "Per release: Helm values on top of all others; null takes a key out, so that the chart's own default counts. Never a secret: name the Secret that holds it",
  );

/** @returns a finding for each text that stands where a chart takes a password */
export function secretFindings(values: Readonly<Record<string, Tree>>): Finding[] {
  return secretPaths(values, isSecret).map((path) => ({
    path: ['values', ...path],
    message: 'is no place for a secret: name the Secret that holds it, by the key that the chart has for that',
  }));
}

/** Charts have lists of names of Secrets under such keys: `extraSecrets`. */
const NAMES = /secrets?$/i;

function isSecret(key: string, value: unknown, inList: boolean): boolean {
  return typeof value === 'string' && value !== '' && holdsSecret(key) && !(inList && NAMES.test(key));
}
