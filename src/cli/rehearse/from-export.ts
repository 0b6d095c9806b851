/** A beginning that an export describes: deployed by the environment's own deployment, with charts made from it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Catalog } from '../../catalog/schema.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { EnvironmentInput } from '../../environment/schema.ts';
import { platformName } from '../../environment/platform-folder.ts';
import { z } from 'zod';
import {
  type Export,
  type ExportedObject,
  exportSchema,
  exportText,
  fromExport,
  staticChart,
} from '../../plan/rehearsal/export.ts';
import { withClients } from '../shared/clients.ts';
import { refused } from '../shared/failure.ts';
import type { Stage } from './stage.ts';

/** @throws CliError (refused) that names what is wrong */
export async function readExportFile(path: string): Promise<Export> {
  const text = await readFile(path, 'utf8');
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw refused(`--from ${path}: no JSON, so it is no export.`);
  }
  const parsed = exportSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw refused(`--from ${path}: no export of this program:\n${z.prettifyError(parsed.error)}`);
}

/** @throws CliError (refused) for an export of another platform, or one of which the checkout has nothing */
export function checkExport(found: Export, environment: { name: string; platform: string }, catalog: Catalog): void {
  const platform = platformName(environment);
  if (found.platform !== platform)
    throw refused(`The export is of the platform ${found.platform}, and ${environment.name} is one of ${platform}.`);
  const services = new Set(catalog.services.map(({ name }) => name));
  if (!found.releases.some(({ service }) => services.has(service)))
    throw refused('The export has no service that this checkout has.');
}

export interface PreparedExport {
  words: string;
  /** Of the deployment that makes it. */
  args: string[];
  /** What of it is not made. */
  gone: string[];
  /** Gives the environment's file back to the runs. */
  undo: () => Promise<void>;
}

/**
 * Writes charts and an environment's file by which a deployment makes what was exported, and puts into the cluster what
 * stands in the way there.
 * @param digests of what the environment makes of each release today
 */
export async function prepareExport(
  found: Export,
  { config, environment, folder }: Stage,
  {
    catalog,
    digests,
    signal,
  }: { catalog: Catalog; digests: ReadonlyMap<string, { digest: string }>; signal: AbortSignal },
): Promise<PreparedExport> {
  const { only, changed, gone } = fromExport(found, catalog, digests);
  const charts = join(folder, 'charts');
  for (const release of changed)
    for (const [name, text] of Object.entries(staticChart(release))) {
      const path = join(charts, release.name, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
  const file = join(config.environmentsDir, `${environment.name}.yaml`);
  const own = await readFile(file, 'utf8');
  const chartFolders = Object.fromEntries(changed.map(({ name }) => [name, join(charts, name)]));
  const beginning: EnvironmentInput = { ...(parse(own) as EnvironmentInput), chartFolders };
  await writeFile(file, stringify(beginning));
  const { up } = await import('../../../bootstrap/index.ts');
  const there = await loadEnvironment(environment.name, config);
  await up(there, config, () => undefined, { signal });
  await withClients({ config }, there, await resolveConnections(there, config), async ({ kubernetes }) => {
    for (const object of ordered(found.objects))
      await kubernetes.apply(pathOf(object), object, { force: true }, signal);
  });
  return {
    words: exportText(found),
    args: only === undefined ? [] : [`--only=${only.join(',')}`],
    gone,
    undo: () => writeFile(file, own),
  };
}

/** Namespaces come before what is in them; those without labels of their own are made here as well. */
function ordered(objects: readonly ExportedObject[]): ExportedObject[] {
  const known = new Set(objects.flatMap(({ kind, metadata }) => (kind === 'Namespace' ? [metadata.name] : [])));
  const missing = new Set(
    objects.flatMap(({ metadata: { namespace } }) => namespace ?? []).filter((name) => !known.has(name)),
  );
  return [
    ...[...missing].map((name): ExportedObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    ...objects.toSorted((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace')),
  ];
}

const PLURALS: Readonly<Record<ExportedObject['kind'], string>> = {
  CustomResourceDefinition: 'customresourcedefinitions',
  Namespace: 'namespaces',
  ResourceQuota: 'resourcequotas',
  LimitRange: 'limitranges',
};

function pathOf({ apiVersion, kind, metadata: { name, namespace } }: ExportedObject): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${group}/${namespace === undefined ? '' : `namespaces/${namespace}/`}${PLURALS[kind]}/${name}`;
}
