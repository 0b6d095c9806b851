/** Checkpoints of databases: which a deployment takes, what they are called, which may go. Pure. */
import type { Catalog } from '../../catalog/schema.ts';
import type { CheckpointRecord } from '../../contract/checkpoint.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { momentIn } from '../backup/names.ts';
import { releaseKey } from '../observed.ts';
import type { Crossing } from '../versions/migrations.ts';

/** The file of one, sorted by time: `ananta-prod-checkpoint-database-main-20261130T221500Z-1a2b3c4d.dump.age`. */
export function checkpointFileName(
  environment: string,
  { server, database }: Pick<CheckpointRecord, 'server' | 'database'>,
  at: string,
  id: string,
): string {
  return `ananta-${environment}-checkpoint-${server}-${database}-${momentIn(at)}-${id.slice(0, 8)}.dump.age`;
}

/** Of that environment, as far as a name can say. */
export function isCheckpointFile(environment: string, name: string): boolean {
  return name.startsWith(`ananta-${environment}-checkpoint-`) && /-\d{8}T\d{6}Z-[0-9a-z-]{1,8}\.dump\.age$/.test(name);
}

/** `server/name` of the database whose state is kept before a migration of this release that cannot be taken back. */
export function databaseOf({ migrations }: Pick<Catalog, 'migrations'>, release: string): string | undefined {
  return migrations.find(({ service, checkpoint }) => service === release && checkpoint !== undefined)?.database;
}

/** How a database is kept, by its name `server/name`; dumped where no migration of it says anything. */
export function kindOf({ migrations }: Pick<Catalog, 'migrations'>, database: string): 'postgres' | 'volume-snapshot' {
  return (
    migrations.find((one) => one.database === database && one.checkpoint !== undefined)?.checkpoint?.kind ?? 'postgres'
  );
}

/** Where the servers run whose volumes are kept by snapshots. */
export function snapshotNamespaces({ migrations, services }: Pick<Catalog, 'migrations' | 'services'>): string[] {
  const servers = migrations
    .filter(({ checkpoint }) => checkpoint?.kind === 'volume-snapshot')
    .map(({ database }) => database.slice(0, database.indexOf('/')));
  return [...new Set(services.filter(({ name }) => servers.includes(name)).map(({ namespace }) => namespace))];
}

/**
 * The plan with the databases that are kept first.
 * @param pending files that cannot be taken back and that have not run yet, by release key
 */
export function withCheckpoints(
  plan: OperationPlan,
  catalog: Pick<Catalog, 'migrations'>,
  pending: ReadonlyMap<string, readonly string[]>,
): OperationPlan {
  if (pending.size === 0) return plan;
  return {
    ...plan,
    services: plan.services.map((service) => ({
      ...service,
      steps: service.steps.map((step) => {
        const before = pending.get(releaseKey(step.namespace, step.name));
        const database = databaseOf(catalog, step.name);
        const runs = step.action === 'upgrade' || step.action === 'retry';
        return before === undefined || database === undefined || !runs
          ? step
          : { ...step, checkpoint: { database, before: [...before] } };
      }),
    })),
  };
}

/** Beyond the newest `keep` of each database. @param records the newest first */
export function checkpointsToRemove<T extends CheckpointRecord>(records: readonly T[], keep: number): T[] {
  const seen = new Map<string, number>();
  return records.filter(({ server, database }) => {
    const key = `${server}/${database}`;
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return count > Math.max(1, keep);
  });
}

export interface WayBack<T> {
  /** What is put back, one a database. */
  chosen: T[];
  /** Files that no checkpoint is on record for. */
  missing: string[];
}

/**
 * The checkpoints that lead back over migrations: of each database the newest that was taken before the first of them.
 * @param crossed in the order in which they ran
 * @param records the newest first
 */
export function checkpointsFor<T extends CheckpointRecord>(
  crossed: readonly Crossing[],
  { migrations }: Pick<Catalog, 'migrations'>,
  records: readonly T[],
): WayBack<T> {
  const firsts = new Map<string, Crossing>();
  for (const one of crossed) {
    const database = migrations.find(({ service }) => service === one.release)?.database ?? one.release;
    if (!firsts.has(database)) firsts.set(database, one);
  }
  const found = [...firsts].map(([database, { file }]) => ({
    file,
    record: records.find(
      (record) =>
        `${record.server}/${record.database}` === database && record.before.includes(file.split('/').at(-1) ?? file),
    ),
  }));
  return {
    chosen: found.flatMap(({ record }) => record ?? []),
    missing: found.flatMap(({ file, record }) => (record === undefined ? [file] : [])),
  };
}
