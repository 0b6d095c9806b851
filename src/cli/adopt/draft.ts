/** `ananta adopt --from … --out DIR`: what it takes to take over what runs, as files and as a list. Changes nothing. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { Catalog } from '../../catalog/schema.ts';
import { readLayers } from '../../environment/files/layers.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { loadPlatform } from '../../environment/platform.ts';
import { chartFolder } from '../../environment/platform-folder.ts';
import type { Environment } from '../../environment/schema.ts';
import { draftAdoption } from '../../plan/adoption/draft.ts';
import { adoptedFileName, adoptionFiles, adoptionLines } from '../../plan/adoption/files.ts';
import { allReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { allReleases } from '../../plan/releases.ts';
import { writeText } from '../plan/file.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import { readSource } from './sources.ts';

export interface DraftOptions {
  env: string;
  from: string;
  out?: string | undefined;
  json?: true | undefined;
}

/** @returns 0 nothing was found to take over, 2 something was */
export async function draft(context: CliContext, { env, from, out, json }: DraftOptions): Promise<ExitCode> {
  const { config, terminal } = context;
  const environment = await loadEnvironment(env, config);
  const catalog = await loadPlatform(environment, config);
  const { found, notes } = await readSource(context, environment, from);
  const drafted = await draftAdoption({
    catalog,
    environment,
    found,
    bundledVersion: await bundledVersions(catalog, environment, context),
    ours: async (like) => valuesOf(catalog, like, context),
  });
  const lines = adoptionLines(drafted, found);
  const { environment: keys, ...rest } = drafted;
  const { origin, others, vault } = found;
  if (json)
    printLines(terminal.stdout, [JSON.stringify({ environment: env, origin, ...rest, keys, others, vault, notes })]);
  else printLines(terminal.stdout, lines);
  printLines(terminal.stderr, notes);
  if (out !== undefined) await write(out);
  return drafted.services.length === 0 ? EXIT_CODES.done : EXIT_CODES.changes;

  async function write(folder: string): Promise<void> {
    const [own] = await readLayers(env, config);
    const extending = own?.tree['extends'];
    const files = adoptionFiles(
      drafted,
      { name: env, origin: found.origin, ...(typeof extending === 'string' ? { extending } : {}) },
      lines,
    );
    await mkdir(folder, { recursive: true });
    for (const { name, text } of files) await writeText(join(folder, name), text, '--out adopted');
    printLines(terminal.stderr, [
      '',
      `Written below ${folder}: ${files.map(({ name }) => name).join(', ')}. Nothing else was changed.`,
      `Next: move ${adoptedFileName(env)} into ${config.environmentsDir}, and let ${env}.yaml say: extends: ${adoptedFileName(env).replace('.yaml', '')}`,
      `Next: ${commandLine('secrets', 'import', '--env', env, '--references', join(folder, 'secrets.yaml'))}`,
    ]);
  }
}

/** Values of all releases, as they would be handed to Helm. */
async function valuesOf(
  catalog: Catalog,
  environment: Environment,
  { config }: CliContext,
): Promise<ReadonlyMap<string, Tree>> {
  const inputs = await allReleaseInputs(catalog, environment, {}, config);
  return new Map([...inputs].map(([name, { values }]) => [name, JSON.parse(values) as Tree]));
}

async function bundledVersions(
  catalog: Catalog,
  environment: Environment,
  { config }: CliContext,
): Promise<(chart: string) => string | undefined> {
  const charts = [...new Set(allReleases(catalog).flatMap(({ chart }) => (chart === '' ? [] : [chart])))];
  const versions = await Promise.all(
    charts.map(async (chart) => {
      const text = await readFile(join(chartFolder(environment, chart, config), 'Chart.yaml'), 'utf8');
      const described: unknown = parse(text);
      return [chart, isTree(described) ? String(described['version']) : ''] as const;
    }),
  );
  const known = new Map(versions);
  return (chart) => known.get(chart);
}
