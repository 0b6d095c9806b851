/** Everything a plan is decided from, in as few requests as it takes. */
import type { Clients } from '../../clients/index.ts';
import { isForbidden, paths } from '../../clients/kubernetes/index.ts';
import type { Environment } from '../../environment/schema.ts';
import { observedHealth } from '../../plan/health/index.ts';
import { type ObservedCluster, type ObservedHealth, releaseKey } from '../../plan/observed.ts';
import { isVerified } from '../../plan/ownership/provenance.ts';
import { allReleases } from '../../plan/releases.ts';
import { readsSince } from '../../plan/vault/secret-readers.ts';
import { leasedFields } from '../../plan/fields/left.ts';
import { knownOrphans } from '../growing/live.ts';
import { isAsWanted } from '../namespaces.ts';
import { listAutoscaled } from '../fields/left.ts';
import { ownNames } from '../owner/claim.ts';
import { isTerminating } from '../release/removal/terminating.ts';
import { foreignReleases } from '../release/ours.ts';
import { allJudgedRevisions, newestJudged } from '../release/provenance.ts';
import type { Revision } from '../release/revisions.ts';
import { observeVault } from '../vault/observe.ts';
import { observeVaultServer } from '../vault/server.ts';
import { knownWorkloads } from './workloads.ts';

/** Changes nothing. */
export async function observeCluster(
  clients: Clients,
  environment: Environment,
  signal: AbortSignal,
): Promise<ObservedCluster> {
  const { kubernetes, catalog } = clients;
  const [{ revisions, proofs }, namespaces, vault, vaultServer, autoscaled, nodes, owners] = await Promise.all([
    allJudgedRevisions(clients, signal),
    kubernetes.list(paths.namespaces, { metadataOnly: true }, signal),
    observeVault(clients, environment, signal),
    observeVaultServer(clients, signal),
    listAutoscaled(kubernetes, signal),
    someNode(kubernetes, signal),
    ownNames(kubernetes, environment.name),
    kubernetes.watches.synced(signal),
  ]);
  const releases = newestJudged(owners, revisions);
  const terminating = new Set(namespaces.items.filter(isTerminating).map(({ metadata }) => metadata.name));
  // What goes with its namespace stands in nobody's way.
  const staying = new Map([...revisions].filter(([key]) => !terminating.has(key.split('/')[0] ?? '')));
  return {
    foreign: await foreignReleases(clients, staying, signal),
    terminating,
    ...(nodes === undefined ? {} : { nodes }),
    namespaces: new Set(
      catalog.namespaces.filter((namespace) => isAsWanted(namespace, namespaces.items)).map(({ name }) => name),
    ),
    releases,
    ...(proofs.reason === undefined ? {} : { proofsUnchecked: proofs.reason }),
    health: healthOfAll(clients, releases),
    podsSince: podsSinceOfAll(clients),
    orphaned: orphanedReleases(clients),
    left: [...leasedFields(environment.fields), ...autoscaled],
    ...vault,
    vaultServer,
  };
}

/** @returns undefined where they may not be looked at */
async function someNode(
  kubernetes: Pick<Clients['kubernetes'], 'list'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    return (await kubernetes.list(paths.nodes, { metadataOnly: true, limit: 1 }, signal)).items.length;
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

/**
 * From the watches: what they know is at most moments old, and a plan made from it is checked again by each step. A
 * release that Kubernetes finds healthy, but whose own health check never succeeded, is not: a failed service is never
 * skipped.
 */
function healthOfAll(
  { kubernetes, catalog }: Clients,
  revisions: ReadonlyMap<string, Revision>,
): Map<string, ObservedHealth> {
  const health = new Map<string, ObservedHealth>();
  for (const release of allReleases(catalog)) {
    const key = releaseKey(release.namespace, release.name);
    const workloads = knownWorkloads(kubernetes.watches, release);
    if (workloads.length === 0) continue;
    const observed = observedHealth(workloads);
    const revision = revisions.get(key);
    // Of a Job that has completed this is the receipt: it counts when its object is gone one day.
    const unproven = observed.healthy && revision !== undefined && !isVerified(revision);
    health.set(
      key,
      unproven
        ? {
            healthy: false,
            reason: release.job
              ? `its completion is not recorded with revision ${revision.revision}`
              : `its health check has not succeeded since revision ${revision.revision}`,
            jobFailed: false,
          }
        : observed,
    );
  }
  return health;
}

/** Those whose StatefulSet was deleted without its pods; from the watches. */
export function orphanedReleases({ kubernetes, catalog }: Pick<Clients, 'kubernetes' | 'catalog'>): Set<string> {
  return new Set(
    allReleases(catalog)
      .filter((release) => knownOrphans(kubernetes, release).length > 0)
      .map(({ namespace, name }) => releaseKey(namespace, name)),
  );
}

/** Of releases that read Kubernetes Secrets; pods that are ending do not count. */
function podsSinceOfAll({ kubernetes, catalog }: Clients): Map<string, string> {
  const reading = allReleases(catalog).filter(({ secrets }) =>
    secrets.some(({ delivery }) => delivery === 'kubernetes'),
  );
  return new Map(
    reading.flatMap(({ namespace, name }) => {
      const pods = kubernetes.watches.of('Pod', namespace, name).filter(({ metadata }) => !metadata.deletionTimestamp);
      const [oldest] = pods.flatMap(({ metadata }) => readsSince(metadata) ?? []).sort();
      return oldest === undefined ? [] : [[releaseKey(namespace, name), oldest] as const];
    }),
  );
}
