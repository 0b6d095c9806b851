/**
 * A local cluster with real pods: made by kind when it is missing, started when it is stopped, deleted only on request.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Catalog } from '../../src/catalog/schema.ts';
import type { Config } from '../../src/config.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { layoutOf } from '../layout.ts';
import { privateFolder, writeFileDurably } from '../process/files.ts';
import type { Report } from '../report.ts';
import { type KindSettings, kindConfiguration, unmapped } from './config.ts';
import { findPrograms, type Programs } from './programs.ts';

export { kindConfiguration, nodePorts } from './config.ts';
export { KindError, KindUnavailableError } from './programs.ts';

const kubeconfigSchema = z.object({ clusters: z.array(z.object({ cluster: z.object({ server: z.url() }) })).min(1) });

/** @returns undefined for an environment whose cluster is none of kind's */
export function kindSettings({ name, cluster }: Pick<Environment, 'name' | 'cluster'>): KindSettings | undefined {
  return 'kind' in cluster
    ? { name: cluster.kind.name ?? `ananta-${name}`, workers: cluster.kind.workers, image: cluster.kind.image }
    : undefined;
}

/**
 * Safe to repeat.
 * @returns where its kubeconfig is, and its API server
 * @throws KindUnavailableError before anything is touched; KindError
 */
export async function upKind(
  environment: Environment,
  catalog: Catalog,
  config: Config,
  report: Report,
  signal?: AbortSignal,
): Promise<{ kubeconfig: string; server: string }> {
  const settings = settingsOf(environment);
  const programs = await findPrograms(config);
  const folder = join(layoutOf(config, environment.name).root, 'kind');
  await privateFolder(folder);
  if (!(await clusters(programs, signal)).includes(settings.name))
    await create(programs, settings, catalog, folder, report, signal);
  else await start(programs, settings, catalog, report, signal);
  const kubeconfig = join(folder, 'kubeconfig');
  // Asked anew each time: after a restart of its container the API server answers on another port.
  const text = await programs.kind(['get', 'kubeconfig', '--name', settings.name], signal);
  await writeFileDurably(kubeconfig, `${text.trimEnd()}\n`);
  const {
    clusters: [first],
  } = kubeconfigSchema.parse(parse(text));
  return { kubeconfig, server: first?.cluster.server ?? '' };
}

/** Stops its nodes; everything in them stays. @returns whether there was anything to stop */
export async function stopKind(environment: Environment, config: Config, report: Report): Promise<boolean> {
  const settings = settingsOf(environment);
  if (!(await wasBegun(environment, config))) return false;
  const programs = await findPrograms(config);
  const running = (await nodes(programs, settings.name))
    .filter(({ state }) => state === 'running')
    .map(({ name }) => name);
  if (running.length === 0) return false;
  await programs.container(['stop', ...running]);
  report({ kind: 'note', message: `The kind cluster "${settings.name}" is stopped; its data are kept.` });
  return true;
}

/** Deletes the cluster with all that is in it. @returns whether there was one */
export async function deleteKind(environment: Environment, config: Config, report: Report): Promise<boolean> {
  const settings = settingsOf(environment);
  if (!(await wasBegun(environment, config))) return false;
  const programs = await findPrograms(config);
  if (!(await clusters(programs)).includes(settings.name)) return false;
  // Its own kubeconfig is named, so that the user's is not touched.
  await programs.kind([
    'delete',
    'cluster',
    '--name',
    settings.name,
    '--kubeconfig',
    join(layoutOf(config, environment.name).root, 'kind', 'kubeconfig'),
  ]);
  report({ kind: 'note', message: `The kind cluster "${settings.name}" is deleted.` });
  return true;
}

/**
 * Whether `up` has ever got as far as asking kind; else there is nothing of ours, and no container engine is needed to
 * know it.
 */
function wasBegun(environment: Environment, config: Config): Promise<boolean> {
  return access(join(layoutOf(config, environment.name).root, 'kind')).then(
    () => true,
    () => false,
  );
}

async function create(
  programs: Programs,
  settings: KindSettings,
  catalog: Catalog,
  folder: string,
  report: Report,
  signal: AbortSignal | undefined,
): Promise<void> {
  report({
    kind: 'note',
    message: `Making the kind cluster "${settings.name}" with ${programs.engine}. The first time its image is fetched, which takes some minutes.`,
  });
  const file = join(folder, 'kind.yaml');
  await writeFileDurably(file, `${JSON.stringify(kindConfiguration(catalog, settings), undefined, 2)}\n`);
  await programs.kind(
    [
      'create',
      'cluster',
      '--name',
      settings.name,
      '--config',
      file,
      '--kubeconfig',
      join(folder, 'kubeconfig'),
      '--wait',
      '180s',
    ],
    signal,
  );
}

async function start(
  programs: Programs,
  settings: KindSettings,
  catalog: Catalog,
  report: Report,
  signal: AbortSignal | undefined,
): Promise<void> {
  const found = await nodes(programs, settings.name, signal);
  const stopped = found.filter(({ state }) => state !== 'running').map(({ name }) => name);
  if (stopped.length > 0) {
    report({ kind: 'note', message: `Starting the kind cluster "${settings.name}".` });
    await programs.container(['start', ...stopped], signal);
  }
  const control = found.find(({ name }) => name.endsWith('-control-plane'));
  const missing =
    control === undefined ? [] : unmapped(catalog, await programs.container(['port', control.name], signal));
  if (missing.length > 0) {
    report({
      kind: 'note',
      message: `The kind cluster "${settings.name}" was made without these NodePorts, which cannot be added later: ${missing.join(', ')}. To have them, delete it and let it be made anew (down --purge, which deletes its data).`,
    });
  }
}

async function clusters(programs: Programs, signal?: AbortSignal): Promise<string[]> {
  // Without any, kind says so on standard error.
  return (await programs.kind(['get', 'clusters'], signal))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

async function nodes(
  programs: Programs,
  cluster: string,
  signal?: AbortSignal,
): Promise<{ name: string; state: string }[]> {
  const text = await programs.container(
    ['ps', '--all', '--filter', `label=io.x-k8s.kind.cluster=${cluster}`, '--format', '{{.Names}} {{.State}}'],
    signal,
  );
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', state = ''] = line.split(' ');
      return { name, state };
    });
}

function settingsOf(environment: Pick<Environment, 'name' | 'cluster'>): KindSettings {
  const settings = kindSettings(environment);
  if (settings === undefined) throw new Error(`the cluster of "${environment.name}" is not one of kind's`);
  return settings;
}
