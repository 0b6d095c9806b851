/** Helm values of single releases that an environment says on top of all others. */
import { z } from 'zod';
import { holdsSecret } from '../../sensitive-name.ts';
import type { Finding } from '../explain.ts';
import { isTree, type Tree } from '../merge.ts';

export const valuesSchema = z
  .record(z.string(), z.record(z.string(), z.unknown()))
  .default({})
  .describe(
    "Per release: Helm values on top of all others; null takes a key out, so that the chart's own default counts. Never a secret: name the Secret that holds it",
  );

/** @returns a finding for each text that stands where a chart takes a password */
export function secretFindings(values: Readonly<Record<string, Tree>>): Finding[] {
  return findSecrets(values, ['values']).map((path) => ({
    path,
    message: 'is no place for a secret: name the Secret that holds it, by the key that the chart has for that',
  }));
}

function findSecrets(value: unknown, path: (string | number)[]): (string | number)[][] {
  if (Array.isArray(value)) return value.flatMap((entry: unknown, index) => findSecrets(entry, [...path, index]));
  if (!isTree(value)) return [];
  const variable = typeof value['name'] === 'string' && holdsSecret(value['name']) ? 'value' : undefined;
  return Object.entries(value).flatMap(([key, below]) => {
    const secret = typeof below === 'string' && below !== '' && (key === variable || holdsSecret(key));
    return secret ? [[...path, key]] : findSecrets(below, [...path, key]);
  });
}
