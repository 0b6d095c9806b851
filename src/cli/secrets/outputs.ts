/** Values of Vault that outputs of Terraform hold: sensitive ones have no other way into the platform. */
import type { Config } from '../../config.ts';
import { partsOf, valueBelow } from '../../environment/outputs/interpolate.ts';
import { outputsOf } from '../../environment/outputs/read.ts';
import type { Environment } from '../../environment/schema.ts';
import type { ImportRequest } from '../../effects/vault/secrets/import.ts';
import { suggestion } from '../../suggest.ts';
import { refused } from '../shared/failure.ts';

/** `database.password`, and the key in Vault that gets its value. */
export interface OutputReference {
  path: string;
  key: string;
  output: string;
}

/** @throws CliError (refused) for what is not declared, not there, or no text; no value is repeated */
export async function secretOutputs(
  environment: Environment,
  named: readonly OutputReference[],
  config: Pick<Config, 'environmentsDir' | 'repoRoot'>,
): Promise<NonNullable<ImportRequest['outputs']>> {
  const sources = await outputsOf(environment.name, environment.outputs, config);
  const values: Record<string, Record<string, { value: string; from: string }>> = {};
  for (const { path, key, output } of named) {
    const value = textOf(environment, sources, output);
    values[path] = { ...values[path], [key]: { value, from: `output ${output}` } };
  }
  return values;
}

function textOf({ outputs }: Environment, sources: Awaited<ReturnType<typeof outputsOf>>, reference: string): string {
  const refuse = (why: string): never => {
    throw refused(`output ${reference}: ${why}`);
  };
  const [source = '', name = '', ...below] = partsOf(reference) ?? [];
  const declared = Object.hasOwn(outputs, source) ? outputs[source] : undefined;
  if (declared === undefined)
    return refuse(`the environment's outputs have no "${source}"${suggestion(source, Object.keys(outputs)) || '.'}`);
  if (!Object.hasOwn(declared.types, name))
    return refuse(
      `outputs.${source}.types has no "${name}"${suggestion(name, Object.keys(declared.types)) || ': say its type there.'}`,
    );
  const read = sources[source];
  if (typeof read !== 'object') return refuse(`${declared.from} ${read ?? ''}`);
  const value = valueBelow(read[name]?.value, below);
  return typeof value === 'string' && value !== '' && !value.includes('\0')
    ? value
    : refuse('holds no text there, and Vault takes nothing else.');
}
