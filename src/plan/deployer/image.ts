/** References to images and versions of the engine, taken apart. */
import type { Tree } from '../../environment/files/merge.ts';

/**
 * Of the deployer's own engine in the target cluster, whatever the platform runs. Server and tools are of one version.
 */
export const ENGINE_IMAGES = {
  server: { repository: 'docker.io/temporalio/server', tag: '1.32.0' },
  adminTools: { repository: 'docker.io/temporalio/admin-tools', tag: '1.32.0' },
  ui: { repository: 'docker.io/temporalio/ui', tag: '2.54.1' },
  database: { repository: 'docker.io/library/postgres', tag: '16.11' },
};

/** For the charts, which put a colon between the two. @param reference NAME:TAG or NAME@sha256:DIGEST */
export function imageValues(reference: string): { repository: string; tag: string } {
  const at = reference.lastIndexOf(':');
  return { repository: reference.slice(0, at), tag: reference.slice(at + 1) };
}

/** The versions that the installation is about to put over those that are there. */
export interface EngineVersions {
  /** Of Temporal, `1.32.0`. */
  server: string;
  /** Major version of PostgreSQL, whose data no other one reads. */
  database: string;
  historyShards: number;
}

const MAJOR_MINOR_PATCH = /^v?(\d+)\.(\d+)\.(\d+)/;

/**
 * @param installed as the cluster has it; undefined where there is no engine yet
 * @returns why the step must not be made; undefined when it may
 */
export function upgradeProblem(installed: EngineVersions | undefined, wanted: EngineVersions): string | undefined {
  if (installed === undefined) return undefined;
  if (installed.database !== wanted.database) {
    return `the engine's data were written by PostgreSQL ${installed.database}, and PostgreSQL ${wanted.database} cannot read them: dump and restore them first`;
  }
  if (installed.historyShards !== wanted.historyShards) {
    return `the engine was set up with ${installed.historyShards} history shards, which cannot be changed; the environment says ${wanted.historyShards} (engine.inCluster.historyShards)`;
  }
  return serverProblem(installed.server, wanted.server);
}

function serverProblem(installed: string, wanted: string): string | undefined {
  const [from, to] = [parts(installed), parts(wanted)];
  if (from === undefined || to === undefined)
    return installed === wanted
      ? undefined
      : `the step from Temporal ${installed} to ${wanted} cannot be judged: one of them is no version`;
  const later = from[0] - to[0] || from[1] - to[1] || from[2] - to[2];
  if (later > 0)
    return `the cluster has Temporal ${installed}, and this checkout would put the older ${wanted} in its place: its schema is never taken back. Use a checkout with ${installed} or newer`;
  if (from[0] !== to[0] || to[1] - from[1] > 1)
    return `from Temporal ${installed} to ${wanted} is more than one minor version: the server has to be upgraded one at a time`;
  return undefined;
}

function parts(version: string): [number, number, number] | undefined {
  const found = MAJOR_MINOR_PATCH.exec(version);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3])] : undefined;
}

/** Versions as they stand in the values of an installed engine. @returns undefined when they do not say */
export function versionsOf(engineValues: Tree, databaseValues: Tree): EngineVersions | undefined {
  const tag = (values: Tree): string | undefined => {
    const image = values['image'] as { tag?: unknown } | undefined;
    return typeof image?.tag === 'string' ? image.tag : undefined;
  };
  const env = engineValues['env'] as { NUM_HISTORY_SHARDS?: unknown } | undefined;
  const [server, database, shards] = [tag(engineValues), tag(databaseValues), Number(env?.NUM_HISTORY_SHARDS)];
  if (server === undefined || database === undefined || !Number.isInteger(shards)) return undefined;
  return { server, database: database.split('.')[0] ?? database, historyShards: shards };
}
