/** `ananta secrets import`: values of a Vault that is lost, for the one that takes its place. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { FoundValue, ImportRequest, PlannedImport } from '../../effects/vault/secrets/import.ts';
import type { Catalog } from '../../catalog/schema.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { labelName, objectName } from '../../environment/fields/formats/kubernetes-names.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import type { SecretReference } from '../../plan/adoption/draft.ts';
import type { OutputReference } from './outputs.ts';
import { loadPlatform } from '../../environment/platform.ts';
import { readYamlFile } from '../../environment/files/yaml-file.ts';
import { keepers } from '../../plan/vault/data-claims.ts';
import { suggestion } from '../../suggest.ts';
import { tryJson } from '../../try-json.ts';
import { checkName, confirmByName } from '../shared/confirm.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine, count } from '../shared/format.ts';
import { textFromBytes } from './input.ts';
import { printLines } from '../shared/terminal.ts';

export interface SecretsImportOptions {
  env: string;
  file?: string;
  /** File with the Secrets that hold values now. */
  references?: string;
  giveUp?: string[];
  confirm?: string;
}

const fileSchema = z.record(z.string(), z.record(z.string(), z.string().min(1)));
const referencesSchema = z.record(
  z.string(),
  z.record(
    z.string(),
    z.union([
      z.strictObject({ namespace: labelName('a namespace'), secret: objectName('a Secret'), key: z.string().min(1) }),
      z.strictObject({ output: z.string().min(1) }),
    ]),
  ),
);

/** @param more `goesOn`: it is part of a command, which says itself what is next */
export async function importSecrets(
  context: CliContext,
  options: SecretsImportOptions,
  { goesOn = false }: { goesOn?: boolean } = {},
): Promise<ExitCode> {
  const environment = await loadEnvironment(options.env, context.config);
  const { name } = environment;
  const catalog = await loadPlatform(environment, context.config);
  const giveUp = options.giveUp ?? [];
  checkServices(catalog, giveUp);
  const referred = options.references === undefined ? {} : await referencesOf(catalog, options.references);
  const { references, outputs } = await splitReferences(context, environment, referred);
  const file = options.file === undefined ? {} : await valuesOf(catalog, options.file);
  checkName({
    name,
    confirm: options.confirm,
    interactive: context.terminal.interactive,
    needed: false,
    what: `Importing into "${name}"`,
    again: commandLine('secrets', 'import', '--env', name, '--confirm', name),
  });
  const { withLiveClients } = await import('../shared/clients.ts');
  const { planImport } = await import('../../effects/vault/secrets/import.ts');
  return withLiveClients(context, environment, async (clients, signal) => {
    const planned = await planImport(clients, { file, outputs, references, giveUp }, signal);
    const strangers = giveUp.filter((service) => !planned.claims.some((claim) => claim.service === service));
    if (strangers.length > 0)
      throw refused(`${strangers.join(', ')}: there are no data of it in the cluster, so there is nothing to give up.`);
    const { stderr } = context.terminal;
    printLines(stderr, planLines(planned));
    if (planned.found.length === 0) return ending(context, name, planned, 0, goesOn);
    if (options.confirm === undefined && !context.terminal.interactive)
      throw refused(
        'What is written has to be confirmed, and there is no terminal to ask on. Nothing was written.',
        commandLine('secrets', 'import', '--env', name, '--confirm', name),
      );
    if (options.confirm === undefined) await confirmByName(name, warningOf(planned, giveUp), signal);
    return ending(context, name, planned, await planned.write(), goesOn);
  });
}

function planLines({ found, differing, missing }: PlannedImport): string[] {
  const places = Map.groupBy(found, ({ from }) => from);
  const named = (keys: readonly { path: string; key: string }[]): string[] =>
    keys.map(({ path, key }) => `  ${path} ${key}`);
  return [
    ...[...places].flatMap(([from, values]: [string, FoundValue[]]) => [
      `${count(values.length, 'value')} from ${from}:`,
      ...named(values),
    ]),
    ...(differing.length === 0
      ? []
      : [`${count(differing.length, 'value')} differ from what is there already, which stays:`, ...named(differing)]),
    ...(missing.length === 0 ? [] : [`${count(missing.length, 'value')} nobody has:`, ...named(missing)]),
  ];
}

function warningOf({ found, into }: PlannedImport, giveUp: readonly string[]): string {
  const lost = giveUp.length === 0 ? '' : ` The data of ${giveUp.join(', ')} can no longer be opened with them.`;
  return `${count(found.length, 'value')} ${into === 'vault' ? 'are written into Vault' : 'wait for Vault, for the next deployment'}.${lost}`;
}

function ending(
  context: CliContext,
  environment: string,
  { missing, claims, into }: PlannedImport,
  written: number,
  goesOn: boolean,
): ExitCode {
  const { stderr, style } = context.terminal;
  const services = [...new Set(claims.map(({ service }) => service))];
  const open = missing.length > 0 && services.length > 0;
  printLines(stderr, [
    written === 0
      ? 'Nothing was found that is not there already.'
      : `${count(written, 'value')} ${into === 'vault' ? 'written into Vault' : 'kept for the next deployment, which moves them into Vault'}.`,
    ...(open
      ? [
          `${count(missing.length, 'value')} still missing, and data of ${services.join(', ')} are there: the next deployment is refused until they are given, or given up.`,
          `${style('bold', 'Next:')} ${commandLine('secrets', 'import', '--env', environment, '--file', 'FILE')}   (JSON: path, then key, then value)`,
          `${style('bold', 'Next:')} ${commandLine('secrets', 'import', '--env', environment, '--give-up', services.join(','))}`,
        ]
      : goesOn
        ? []
        : [`${style('bold', 'Next:')} ${commandLine('deploy', '--env', environment)}`]),
  ]);
  return open ? EXIT_CODES.changes : EXIT_CODES.done;
}

/** @throws CliError (refused) for what is no service with data of its own */
function checkServices(catalog: Catalog, names: readonly string[]): void {
  const known = keepers(catalog).map(({ service }) => service);
  const strange = names.find((name) => !known.includes(name));
  if (strange !== undefined)
    throw refused(
      `--give-up ${strange}: no service of that name keeps data that need a value of Vault${suggestion(strange, known) || `; these do: ${known.join(', ')}.`}`,
    );
}

/** @param path `-` for standard input. @throws CliError (refused); no value is repeated */
async function valuesOf(catalog: Catalog, path: string): Promise<Record<string, Record<string, string>>> {
  const bytes = await (path === '-' ? standardInput() : readFile(path)).catch((error: unknown) => {
    throw refused(`--file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  const parsed = fileSchema.safeParse(tryJson(textFromBytes(bytes)));
  if (!parsed.success)
    throw refused(
      `--file ${path} is not what is expected: JSON with paths, their keys and values that are text: {"PATH": {"KEY": "VALUE"}}.`,
    );
  requireDeclared(catalog, `--file ${path}`, parsed.data);
  for (const [name, values] of Object.entries(parsed.data)) {
    const odd = Object.entries(values).find(([, value]) => value.includes('\0'))?.[0];
    if (odd !== undefined) throw refused(`--file ${path}: the value of ${name} ${odd} holds a NUL byte.`);
  }
  return parsed.data;
}

/** @throws CliError (refused), ConfigurationError */
async function referencesOf(catalog: Catalog, path: string): Promise<z.infer<typeof referencesSchema>> {
  const flag = `--references ${path}`;
  const file = await readYamlFile(path, path);
  if (file === undefined) throw refused(`${flag}: there is no such file.`);
  const parsed = referencesSchema.safeParse(file.tree);
  if (!parsed.success)
    throw refused(
      `${flag} is not what is expected, at ${parsed.error.issues[0]?.path.join('.') ?? ''}: paths, their keys, and of each the Secret that holds its value, {PATH: {KEY: {namespace: …, secret: …, key: …}}}, or the output of Terraform, {PATH: {KEY: {output: NAME.OUTPUT}}}.`,
    );
  requireDeclared(catalog, flag, parsed.data);
  return parsed.data;
}

/** What outputs of Terraform hold is read here; what Secrets hold where the cluster is. @throws CliError (refused) */
async function splitReferences(
  { config }: CliContext,
  environment: Environment,
  referred: z.infer<typeof referencesSchema>,
): Promise<Required<Pick<ImportRequest, 'references' | 'outputs'>>> {
  const references: Record<string, Record<string, SecretReference>> = {};
  const named: OutputReference[] = [];
  for (const [path, keys] of Object.entries(referred))
    for (const [key, reference] of Object.entries(keys)) {
      if ('output' in reference) named.push({ path, key, output: reference.output });
      else references[path] = { ...references[path], [key]: reference };
    }
  if (named.length === 0) return { references, outputs: {} };
  const { secretOutputs } = await import('./outputs.ts');
  return { references, outputs: await secretOutputs(environment, named, config) };
}

/** @throws CliError (refused) for a path or a key that the catalog does not have */
function requireDeclared(catalog: Catalog, flag: string, given: Readonly<Record<string, object>>): void {
  for (const [name, keys] of Object.entries(given)) {
    const declared = catalog.secretPaths.find((candidate) => candidate.path === name);
    if (declared === undefined)
      throw refused(
        `${flag}: there is no secret path "${name}"${
          suggestion(
            name,
            catalog.secretPaths.map((candidate) => candidate.path),
          ) || '.'
        }`,
        commandLine('secrets', 'list'),
      );
    const key = Object.keys(keys).find((candidate) => !declared.keys.some((known) => known.name === candidate));
    if (key !== undefined)
      throw refused(
        `${flag}: secret/${name} has no key "${key}"; it has ${declared.keys.map((known) => known.name).join(', ')}.`,
      );
  }
}

async function standardInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
