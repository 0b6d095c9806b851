/** What the outputs that an environment names are, as its files and those of Terraform say it. */
import { resolve } from 'node:path';
import type { Config } from '../../config.ts';
import { suggestion } from '../../suggest.ts';
import { explainIssues, type Finding } from '../explain.ts';
import { outputsSchema, type OutputSources } from '../fields/outputs.ts';
import type { Tree } from '../files/merge.ts';
import { readCarried } from './carried.ts';
import { readOutputs, type TerraformOutputs } from './file.ts';
import { interpolated, type OutputValues } from './interpolate.ts';
import { terraformType } from './types.ts';

type Where = Pick<Config, 'environmentsDir' | 'repoRoot'>;

/**
 * @param name of the environment @param tree its file, with all that it extends
 * @returns the tree with values in the place of references, and what is wrong with them
 */
export async function withOutputs(
  name: string,
  tree: Tree,
  config: Where,
): Promise<{ tree: Tree; findings: Finding[] }> {
  const parsed = outputsSchema.safeParse(tree['outputs']);
  // The check of the whole file says what is wrong, with all else.
  if (!parsed.success) return { tree, findings: [] };
  const values: OutputValues = {};
  const findings: Finding[] = [];
  for (const [source, outputs] of Object.entries(await outputsOf(name, parsed.data, config))) {
    const { from, types } = parsed.data[source] ?? { from: '', types: {} };
    const typed =
      typeof outputs === 'string'
        ? { values: {}, findings: [{ path: ['from'], message: `${from} ${outputs}` }] }
        : typedOutputs(outputs, types);
    values[source] = typed.values;
    findings.push(...typed.findings.map(({ path, message }) => ({ path: ['outputs', source, ...path], message })));
  }
  return findings.length > 0 ? { tree, findings } : interpolated(tree, values);
}

/** By source: its outputs, values of sensitive ones included, or what is wrong with its file. */
export async function outputsOf(
  name: string,
  sources: OutputSources,
  { environmentsDir, repoRoot }: Where,
): Promise<Record<string, TerraformOutputs | string>> {
  if (Object.keys(sources).length === 0) return {};
  const carried = await readCarried(name, environmentsDir);
  const read = await Promise.all(
    Object.entries(sources).map(
      async ([source, { from }]) =>
        [source, carried?.[source] ?? (await readOutputs(resolve(repoRoot, from)))] as const,
    ),
  );
  return Object.fromEntries(read);
}

/** Pure. Those that have a type; sensitive ones are undefined. */
export function typedOutputs(
  outputs: TerraformOutputs,
  types: Readonly<Record<string, string>>,
): { values: Record<string, unknown>; findings: Finding[] } {
  const findings: Finding[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(types)) {
    const path = ['types', name];
    const output = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
    const { check } = terraformType(type);
    if (output === undefined)
      findings.push({ path, message: `the file has no such output${suggestion(name, Object.keys(outputs))}` });
    else if (output.sensitive) values[name] = undefined;
    else if (check !== undefined) {
      const checked = check.safeParse(output.value);
      values[name] = checked.data;
      const wrong = checked.success ? [] : explainIssues(checked.error, check, output.value);
      findings.push(
        ...wrong.map(({ path: below, message }) => ({
          path,
          message: `the output is no ${type}: ${below.length === 0 ? 'it' : below.map(String).join('.')} ${message}`,
        })),
      );
    }
  }
  return { values, findings };
}
