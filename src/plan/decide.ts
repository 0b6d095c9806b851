/** What will be done to each service and why: wanted state against what was observed. Pure. */
import type { Catalog, Service } from '../catalog/schema.ts';
import { RELEASE_LABELS, VAULT } from '../contract/names.ts';
import {
  isVaultInit,
  type OperationPlan,
  type PlannedAction,
  type PlannedService,
  type PlannedStep,
} from '../contract/operations/plan.ts';
import type { Environment } from '../environment/schema.ts';
import { checkChartSource } from './charts/source.ts';
import { APPLYING } from './diff/services.ts';
import { planDigest } from './digest.ts';
import { type LeftField, markOf, marksOf } from './fields/left.ts';
import { rounded } from './expected-times.ts';
import { criticalPath, remainingSeconds } from './graph.ts';
import { wantedSecrets } from './vault/kubernetes-secrets.ts';
import { releaseKey, type ObservedCluster, type ObservedHealth, type ObservedRelease } from './observed.ts';
import { checkPlatform, planScope } from './platform.ts';
import { isAdopted } from './ownership/foreign.ts';
import { isVerified } from './ownership/provenance.ts';
import { listedReaders, withRestart } from './vault/secret-readers.ts';
import { allReleases, findService, releasesOf, type Release } from './releases.ts';
import { serviceSeconds } from './inputs/startup.ts';
import { vaultDigest } from './vault/digest.ts';
import { checkVaultServer, leavingServers, serverReason } from './vault/server.ts';

export interface PlanInput {
  catalog: Catalog;
  environment: Environment;
  /** Digest of what is wanted, per release. */
  digests: ReadonlyMap<string, string>;
  observed: ObservedCluster;
}

interface Decision {
  action: PlannedAction;
  reason: string;
}

/** The more invasive, the further up: a service is what the first of its steps' actions says. */
const INVASIVENESS: readonly PlannedAction[] = ['install', 'upgrade', 'retry', 'restart', 'verify', 'unchanged'];

/**
 * @throws PlanRefusedError when another platform is deployed, or charts of another source would be put over existing
 * data
 * @throws Error when a digest is missing
 */
export function buildPlan({ catalog, environment, digests, observed }: PlanInput): OperationPlan {
  checkPlatform(catalog, environment.name, observed);
  checkChartSource(catalog, environment, observed);
  const vault = catalog.services.find(({ name }) => name === VAULT.service);
  if (vault !== undefined) checkVaultServer(environment, vault, observed.vaultServer);
  const seconds = new Map(catalog.services.map((service) => [service.name, serviceSeconds(environment, service)]));
  const secondsOf = (name: string): number => seconds.get(name) ?? 0;
  const remaining = remainingSeconds(catalog.services, secondsOf);
  const longest = criticalPath(catalog.services, secondsOf);

  const planned = catalog.services.map((service) => ({
    ...planService(service, (release) => planStep(catalog, environment, release, digests, observed)),
    remainingSeconds: rounded(remaining.get(service.name) ?? 0),
    healthTimeoutSeconds: service.healthTimeoutSeconds * environment.healthTimeoutFactor,
  }));
  const services = afterSecrets(catalog, planned);
  const notes = [
    ...nodeNotes(observed),
    ...unprovedNotes(catalog, observed),
    ...listedReaders(catalog, environment, observed),
  ];
  return {
    operation: 'deploy',
    environment: environment.name,
    digest: planDigest(planScope(environment.name, catalog), services),
    criticalPathSeconds: rounded(longest.seconds),
    criticalPath: longest.path,
    services,
    prerequisites: catalog.namespaces.some(({ name }) => !observed.namespaces.has(name)) || !vaultIsReady(observed),
    simulated: environment.simulation !== undefined,
    phases: catalog.phases,
    helmTimeoutSeconds: environment.helm.timeoutSeconds,
    onFailure: environment.onFailure,
    ...(environment.onFailure === 'ask'
      ? { ask: { seconds: environment.ask.forSeconds, then: environment.ask.then } }
      : {}),
    ...(notes.length > 0 ? { notes } : {}),
  };
}

/** A cluster may add nodes when pods wait for one: so that is no reason to refuse. */
function nodeNotes({ nodes }: ObservedCluster): string[] {
  return nodes === 0
    ? ['The cluster has no node: no pod starts, Vault included, until it has one (kubectl get nodes).']
    : [];
}

/**
 * Pods are replaced when the Secret that they read has been made anew: so not before Vault is initialised and its
 * secrets are written.
 */
function afterSecrets<T extends Pick<PlannedService, 'name' | 'action' | 'dependsOn' | 'steps'>>(
  catalog: Catalog,
  services: readonly T[],
): T[] {
  const keeper = services.find(({ steps }) => steps.some(isVaultInit));
  if (keeper === undefined || keeper.action === 'unchanged') return [...services];
  const byName = new Map(catalog.services.map((service) => [service.name, service]));
  const before = new Set([keeper.name]);
  for (const name of before) for (const needed of byName.get(name)?.dependsOn ?? []) before.add(needed);
  return services.map((service) =>
    before.has(service.name) || !service.steps.some(({ restart }) => restart !== undefined)
      ? service
      : { ...service, dependsOn: [...new Set([...service.dependsOn, keeper.name])] },
  );
}

/** What cannot be proved is said, and counts by its labels. */
function unprovedNotes(catalog: Catalog, { releases, proofsUnchecked }: ObservedCluster): string[] {
  const unknown = allReleases(catalog).filter(
    ({ namespace, name }) => releases.get(releaseKey(namespace, name))?.provenance === 'unknown',
  );
  if (unknown.length === 0) return [];
  const why = proofsUnchecked ?? 'they were proved with a key that Vault has lost';
  return [
    `Who wrote the revisions in effect cannot be proved now (${why}): ${unknown.length} releases count by their labels.`,
  ];
}

function planService(
  service: Service,
  plan: (release: Release) => PlannedStep,
): Omit<PlannedService, 'remainingSeconds' | 'healthTimeoutSeconds'> {
  const steps = releasesOf(service).map(plan);
  const decisive = INVASIVENESS.map((action) => steps.filter((step) => step.action === action))
    .find((found) => found.length > 0)
    ?.reduce((first, step) => (step.name === service.name ? step : first));
  const { action, reason } = decisive ?? { action: 'unchanged' as const, reason: '' };
  return {
    number: service.number,
    phase: service.phase,
    name: service.name,
    namespace: service.namespace,
    dependsOn: service.dependsOn,
    ...(service.optionalDependencies.length === 0 ? {} : { optionalDependencies: service.optionalDependencies }),
    action,
    reason:
      decisive === undefined || decisive.name === service.name || action === 'unchanged'
        ? reason
        : `${decisive.name}: ${reason}`,
    steps,
  };
}

/** Of a Vault that others run there is a release, but no pod that could be missing. */
function withoutPods({ vault }: Pick<Environment, 'vault'>, release: Release): Release {
  if (vault.external === undefined || release.name !== VAULT.service) return release;
  const { image: _theirs, ...rest } = release;
  return rest;
}

function planStep(
  catalog: Catalog,
  environment: Pick<Environment, 'vault' | 'secrets'>,
  release: Release,
  digests: ReadonlyMap<string, string>,
  observed: ObservedCluster,
): PlannedStep {
  const { kind, name, namespace, job } = release;
  if (kind === 'vault-init')
    return {
      kind,
      name,
      namespace,
      job,
      ...decideVaultInit(catalog, environment, release, digests, observed),
      digest: vaultDigest(catalog),
    };
  const digest = digests.get(name);
  if (digest === undefined) throw new Error(`There is no digest for release "${name}".`);
  const key = releaseKey(namespace, name);
  const found = observed.releases.get(key);
  const theirs = observed.foreign?.get(key);
  const step: PlannedStep = {
    kind,
    name,
    namespace,
    job,
    ...(observed.terminating?.has(namespace)
      ? {
          action: 'install' as const,
          reason: `its namespace ${namespace} is being deleted with all that is in it, and made anew`,
        }
      : theirs === undefined
        ? withWhatIsGone(
            decideRelease(withoutPods(environment, release), digest, found, observed.health.get(key), observed.left),
            observed.lostDefinitions?.get(name) ?? [],
            observed.orphaned?.has(key) === true,
          )
        : { action: 'install' as const, reason: `a release of this name is there that is not ours` }),
    digest,
    ...(found === undefined ? {} : { revision: found.revision }),
  };
  return withLeaving(environment, withRestart(catalog, environment, release, step, observed), observed);
}

/** Servers of Vault that a StatefulSet with fewer of them would end. */
function withLeaving(
  { vault }: Pick<Environment, 'vault'>,
  step: PlannedStep,
  { vaultServer }: Pick<ObservedCluster, 'vaultServer'>,
): PlannedStep {
  if (step.name !== VAULT.service || vault.external !== undefined || !APPLYING.includes(step.action)) return step;
  const leaving = leavingServers(step, vaultServer, vault.replicas);
  return leaving.length === 0 ? step : { ...step, leaving };
}

function decideRelease(
  release: Release,
  wanted: string,
  found: ObservedRelease | undefined,
  health: ObservedHealth | undefined,
  left: readonly LeftField[] | undefined,
): Decision {
  if (found === undefined) return { action: 'install', reason: 'not there yet' };
  if (found.status === 'uninstalled') return { action: 'install', reason: 'was uninstalled' };
  if (found.status !== 'deployed') return { action: 'retry', reason: unfinished(found) };
  if (isAdopted(found))
    return {
      action: 'upgrade',
      reason: `revision ${found.revision} was taken over: it becomes what the catalog says`,
    };
  if (found.provenance === 'foreign' && found.ours === true)
    return {
      action: 'upgrade',
      reason: `revision ${found.revision} is not of a deployment of ours${writtenBy(found)}`,
    };
  const made = found.labels[RELEASE_LABELS.digest];
  if (made === undefined) return { action: 'upgrade', reason: 'what it was made from is not recorded' };
  if (made !== wanted)
    return { action: 'upgrade', reason: `chart, values or image changed: ${made} is deployed, ${wanted} is wanted` };
  if (health?.jobFailed) return { action: 'retry', reason: health.reason };
  // Without an image there are no pods that could be missing. A Job that has completed once has done its work: whoever
  // deleted its object (a controller, after its time) has not undone it.
  if (health === undefined && release.job && isVerified(found))
    return { action: 'unchanged', reason: 'completed, as wanted; its Job is gone, and the receipt counts' };
  if (health === undefined && release.image !== undefined)
    return { action: 'retry', reason: release.job ? 'its Job is gone' : 'its workload is gone' };
  // Applied again, it sets what it has left to others before.
  const marks = new Set(left?.map(markOf));
  if (left !== undefined && marksOf(found.labels[RELEASE_LABELS.left]).some((mark) => !marks.has(mark)))
    return { action: 'retry', reason: 'fields that an autoscaler or a lease decided are its own again' };
  if (health !== undefined && !health.healthy)
    return { action: 'verify', reason: `applied, but not healthy: ${health.reason}` };
  return { action: 'unchanged', reason: release.job ? 'completed, as wanted' : 'as wanted' };
}

/**
 * Helm makes definitions when it installs a chart, and never looks at them again. Pods of a StatefulSet that was
 * deleted without them run as if nothing were, until one of them ends.
 */
function withWhatIsGone(decision: Decision, lost: readonly string[], orphaned: boolean): Decision {
  if (decision.action !== 'unchanged' && decision.action !== 'verify') return decision;
  if (lost.length === 0)
    return orphaned ? { action: 'retry', reason: 'its StatefulSet is gone, and its pods run on without it' } : decision;
  const names = lost.length > 3 ? `${lost.slice(0, 3).join(', ')} and ${lost.length - 3} more` : lost.join(', ');
  return {
    action: 'retry',
    reason: `CustomResourceDefinition ${names} ${lost.length === 1 ? 'is' : 'are'} gone, with all objects of that kind`,
  };
}

function writtenBy({ writtenBy: writer }: ObservedRelease): string {
  return writer === undefined ? '' : ` (written by ${writer.manager}, ${writer.at}): what was applied is put back`;
}

function unfinished({ status, revision }: ObservedRelease): string {
  if (status === 'failed') return `revision ${revision} failed`;
  if (status.startsWith('pending-')) return `revision ${revision} was interrupted (${status})`;
  return `revision ${revision} is ${status}`;
}

/**
 * A changed server restarts its pods, and they come back sealed: Vault is unsealed after it, even where it is open now.
 */
function decideVaultInit(
  catalog: Catalog,
  environment: Pick<Environment, 'vault'>,
  { service }: Release,
  digests: ReadonlyMap<string, string>,
  observed: ObservedCluster,
): Decision {
  const decision = decideVault(observed);
  if (decision.action !== 'unchanged') return decision;
  const going = [...new Set(wantedSecrets(catalog).map(({ namespace }) => namespace))].filter((namespace) =>
    observed.terminating?.has(namespace),
  );
  if (going.length > 0)
    return {
      action: 'upgrade',
      reason: `Secrets made from Vault go with namespace ${going.join(', ')}, and are made again`,
    };
  const server = releasesOf(findService(catalog, service)).find(({ position }) => position === 'main');
  const wanted = server === undefined ? undefined : digests.get(server.name);
  if (server === undefined || wanted === undefined) return decision;
  const key = releaseKey(server.namespace, server.name);
  const { action } = decideRelease(
    withoutPods(environment, server),
    wanted,
    observed.releases.get(key),
    observed.health.get(key),
    observed.left,
  );
  if (action !== 'unchanged' && action !== 'verify')
    return { action: 'verify', reason: 'its server is changed, and is opened again' };
  const reason = serverReason(observed.vaultServer);
  return reason === undefined ? decision : { action: 'upgrade', reason };
}

function decideVault(observed: ObservedCluster): Decision {
  switch (observed.vault) {
    case 'absent':
      return { action: 'install', reason: 'Vault is not there yet' };
    case 'uninitialized':
      return { action: 'install', reason: 'Vault is not initialized' };
    case 'sealed':
      return { action: 'retry', reason: 'Vault is sealed' };
    case 'unreachable':
      return { action: 'retry', reason: withDetail('Vault does not answer', observed.vaultReason) };
    case 'open':
      return observed.vaultConfigured
        ? { action: 'unchanged', reason: 'open and configured' }
        : { action: 'upgrade', reason: withDetail('Vault lacks something', observed.vaultReason) };
  }
}

function vaultIsReady(observed: ObservedCluster): boolean {
  return observed.vault === 'open' && observed.vaultConfigured;
}

function withDetail(text: string, detail: string): string {
  return detail === '' ? text : `${text}: ${detail}`;
}

/** Tenths of a second: more digits would only make histories differ. */
