/**
 * What has to be removed, and in which order: whatever depends on a service goes before it. Decided from what the
 * cluster holds, so that it also works where the catalog has changed since, where Vault is sealed, or where half of the
 * platform is gone. Pure.
 */
import type { Catalog } from '../../catalog/schema.ts';
import { IN_CLUSTER, RELEASE_LABELS } from '../../contract/names.ts';
import type { OperationPlan, PlannedService, PlannedStep } from '../../contract/operations/plan.ts';
import type { Environment } from '../../environment/schema.ts';
import { digestOf } from '../digest.ts';
import { foreignText } from '../ownership/foreign.ts';
import { criticalPath, dependentsOf, remainingSeconds } from '../graph.ts';
import { releaseKey, type ForeignRelease, type ObservedRelease } from '../observed.ts';
import { releasesOf } from '../releases.ts';

export interface DestroyPlanInput {
  catalog: Catalog;
  environment: Pick<Environment, 'name' | 'simulation' | 'helm'>;
  /** Newest revision of every release in the cluster, by `<namespace>/<release>`. */
  releases: ReadonlyMap<string, ObservedRelease>;
  /** Those of the catalog's releases that somebody else has made; same key. Absent: none. */
  foreign?: ReadonlyMap<string, ForeignRelease>;
  /** Objects that carry Helm's marks, counted by `<namespace>/<release>`. */
  marked: ReadonlyMap<string, number>;
  /** Environments that it took the cluster over from. Absent: none. */
  formerly?: readonly string[];
  deleteData: boolean;
}

/** Of one uninstall, until its pods have ended; for the order and for people. */
const SECONDS_PER_RELEASE = 2;

export function buildDestroyPlan({
  catalog,
  environment,
  releases,
  foreign,
  marked,
  formerly = [],
  deleteData,
}: DestroyPlanInput): OperationPlan {
  const owners = [environment.name, ...formerly];
  const dependents = dependentsOf(catalog.services);
  const listed = catalog.services.map((service) => {
    const steps = releasesOf(service)
      .reverse()
      .map(({ kind, name, namespace, job }): PlannedStep => {
        if (kind === 'vault-init')
          return {
            kind,
            name,
            namespace,
            job,
            action: 'unchanged',
            reason: 'what it made is removed after the releases',
            digest: '',
          };
        const key = releaseKey(namespace, name);
        return {
          kind,
          name,
          namespace,
          job,
          ...decide(releases.get(key), marked.get(key) ?? 0, owners, foreign?.get(key)),
          digest: digestOfRelease(releases.get(key)),
          ...revisionOf(releases.get(key)),
        };
      });
    const { number, phase, name, namespace } = service;
    return serviceOf({ number, phase, name, namespace, dependsOn: dependents.get(name) ?? [] }, steps);
  });
  const services = withOrphans(listed, orphansOf(catalog, owners, releases), lastPhase(catalog));

  const secondsOf = (name: string): number =>
    SECONDS_PER_RELEASE *
    (services.find((service) => service.name === name)?.steps.filter(({ action }) => action === 'remove').length ?? 0);
  const remaining = remainingSeconds(services, secondsOf);
  const longest = criticalPath(services, secondsOf);
  const leftAlone = listed.flatMap(({ steps }) =>
    steps
      .filter(({ reason }) => reason.startsWith(NOT_OURS))
      .map(({ name, namespace, reason }) => `${namespace}/${name}: ${reason}`),
  );
  return {
    operation: 'destroy',
    environment: environment.name,
    digest: digestOf([
      'destroy',
      environment.name,
      deleteData,
      services.map(({ steps }) =>
        steps.map(({ name, action, digest, revision }) => [name, action, digest, revision ?? 0]),
      ),
    ]),
    criticalPathSeconds: longest.seconds,
    criticalPath: longest.path,
    services: services.map((service) => ({ ...service, remainingSeconds: remaining.get(service.name) ?? 0 })),
    prerequisites: false,
    simulated: environment.simulation !== undefined,
    phases: catalog.phases,
    helmTimeoutSeconds: environment.helm.timeoutSeconds,
    // What cannot be removed is in the way of what it depends on, of nothing else.
    onFailure: 'continue',
    notes: [
      ...leftAlone,
      deleteData
        ? "volumes, Vault's data and the records of the deployer go as well"
        : "volumes, and with them Vault's data and buckets, stay",
    ],
  };
}

const NOT_OURS = 'left alone';

function decide(
  found: ObservedRelease | undefined,
  marked: number,
  owners: readonly string[],
  theirs: ForeignRelease | undefined,
): Pick<PlannedStep, 'action' | 'reason'> {
  if (found === undefined)
    return marked > 0
      ? { action: 'remove', reason: `Helm has no record of it, but objects are left: ${marked}` }
      : { action: 'unchanged', reason: 'not there' };
  const of = found.labels[RELEASE_LABELS.environment];
  if (!owners.includes(of ?? ''))
    return {
      action: 'unchanged',
      reason: `${NOT_OURS}: made by ${of === undefined ? 'no deployment of ours' : `a deployment to environment "${of}"`}`,
    };
  if (theirs !== undefined)
    return { action: 'unchanged', reason: `${NOT_OURS}: ${foreignText(theirs, owners[0] ?? '')}` };
  return {
    action: 'remove',
    reason: `revision ${found.revision}${found.status === 'deployed' ? '' : ` is ${found.status}`}`,
  };
}

/** Our releases that the catalog does not know (any more). */
function orphansOf(
  catalog: Catalog,
  owners: readonly string[],
  releases: DestroyPlanInput['releases'],
): { step: PlannedStep; service: string | undefined }[] {
  const known = new Set(catalog.services.flatMap(releasesOf).map(({ namespace, name }) => releaseKey(namespace, name)));
  return (
    [...releases]
      // The deployer itself, installed into the cluster, is no service that the catalog has lost: it does the
      // destroying.
      .filter(([key]) => !key.startsWith(`${IN_CLUSTER.namespace}/`))
      .filter(([key, { labels }]) => !known.has(key) && owners.includes(labels[RELEASE_LABELS.environment] ?? ''))
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, found]) => {
        const [namespace = '', name = ''] = key.split('/');
        const step: PlannedStep = {
          kind: 'release',
          name,
          namespace,
          job: false,
          action: 'remove',
          reason: `revision ${found.revision}, no longer in the catalog`,
          digest: digestOfRelease(found),
          ...revisionOf(found),
        };
        return { step, service: found.labels[RELEASE_LABELS.service] };
      })
  );
}

/** A step that a service no longer has goes with the service, before all others; the rest stands for itself. */
function withOrphans(
  listed: readonly PlannedService[],
  orphans: ReturnType<typeof orphansOf>,
  phase: number,
): PlannedService[] {
  const names = new Set(listed.map(({ name }) => name));
  const alone = orphans
    .filter(({ service }) => service === undefined || !names.has(service))
    .map(({ step }, index) => {
      const name = names.has(step.name) ? `${step.namespace}.${step.name}` : step.name;
      return serviceOf({ number: listed.length + index + 1, phase, name, namespace: step.namespace, dependsOn: [] }, [
        step,
      ]);
    });
  return [
    ...listed.map((service) => {
      const { name, dependsOn } = service;
      const own = orphans.filter((orphan) => orphan.service === name).map(({ step }) => step);
      // Nobody knows what an orphan needs; the foundations wait for it.
      const foundation = listed.every((other) => !other.dependsOn.includes(name));
      return serviceOf(
        { ...service, dependsOn: foundation ? [...dependsOn, ...alone.map((orphan) => orphan.name)] : dependsOn },
        [...own, ...service.steps],
      );
    }),
    ...alone,
  ];
}

function serviceOf(
  base: Pick<PlannedService, 'number' | 'phase' | 'name' | 'namespace' | 'dependsOn'>,
  steps: PlannedStep[],
): PlannedService {
  const { number, phase, name, namespace, dependsOn } = base;
  const first =
    steps.find((step) => step.action === 'remove' && step.name === name) ??
    steps.find((step) => step.action === 'remove');
  const rest = steps.find((step) => step.name === name) ?? steps[0];
  const reason =
    first === undefined
      ? (rest?.reason ?? 'not there')
      : first.name === name
        ? first.reason
        : `${first.name}: ${first.reason}`;
  return {
    number,
    phase,
    name,
    namespace,
    dependsOn,
    action: first ? 'remove' : 'unchanged',
    reason,
    steps,
    remainingSeconds: 0,
    healthTimeoutSeconds: 0,
  };
}

function revisionOf(found: ObservedRelease | undefined): Pick<PlannedStep, 'revision'> {
  return found === undefined ? {} : { revision: found.revision };
}

function digestOfRelease(found: ObservedRelease | undefined): string {
  return found === undefined ? '' : (found.labels[RELEASE_LABELS.digest] ?? `revision-${found.revision}`);
}

function lastPhase({ phases }: Catalog): number {
  return Math.max(...phases.map(({ number }) => number));
}
