/**
 * What leads back to an earlier platform version: steps for each release that differs from it, dependents first. Pure.
 */
import type { Catalog, Service } from '../../catalog/schema.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { OperationPlan, PlannedAction, PlannedService, PlannedStep } from '../../contract/operations/plan.ts';
import type { PlatformVersion, VersionedRelease } from '../../contract/version.ts';
import type { Environment } from '../../environment/schema.ts';
import { backwards } from '../destroy/backwards.ts';
import { digestOf } from '../digest.ts';
import { type KeptRevision, revisionOf } from './history-kept.ts';
import { type Crossing } from './migrations.ts';
import { releaseKey } from '../observed.ts';
import { type Release, releasesOf } from '../releases.ts';
import { noReturnText, RollbackRefusedError } from './rollback-refused.ts';
import { serviceSeconds } from '../inputs/startup.ts';
import { describeChange, keyOf } from './versions.ts';

/** A revision as it lies in the cluster. */
export interface ObservedRevision extends KeptRevision {
  /** Whether its health check has succeeded once. */
  proven: boolean;
  /** Run that wrote it. */
  run: string | undefined;
  /** Somebody has changed what its record holds: it counts as somebody else's. */
  edited?: true;
}

export interface RollbackPlanInput {
  catalog: Catalog;
  environment: Environment;
  target: PlatformVersion;
  /** The newest version, for messages. */
  newest: PlatformVersion | undefined;
  /** All revisions of every release of ours, by release key. */
  revisions: ReadonlyMap<string, readonly ObservedRevision[]>;
  /** By release key: why a release that the target version does not have must stay, which is the data that it holds. */
  data: ReadonlyMap<string, string>;
  /** Why services are not healthy now, by name. */
  unhealthy: ReadonlyMap<string, string>;
  crossed: readonly Crossing[];
  pastNoReturn: boolean;
  /** Releases whose StatefulSet was deleted without its pods, by release key; absent: none. */
  orphaned?: ReadonlySet<string>;
}

type Decision = Pick<PlannedStep, 'action' | 'reason' | 'digest'> & { toRevision?: number; note?: string };

/** Reason to apply a release again although its revision is the right one. */
export const ORPHANED = 'its StatefulSet is gone, and its pods run on without it: applied again as it was';

const INVASIVENESS: readonly PlannedAction[] = ['rollback', 'remove', 'verify', 'unchanged'];

/** @throws RollbackRefusedError when Helm no longer has a revision, or a point of no return lies between */
export function buildRollbackPlan(input: RollbackPlanInput): OperationPlan {
  const { catalog, environment, target, crossed, unhealthy } = input;
  const decided = catalog.services.map((service) => planService(input, service));
  refuseLost(
    input,
    decided.flatMap(({ lost }) => lost),
  );
  if (crossed.length > 0 && !input.pastNoReturn) {
    throw new RollbackRefusedError(
      FAILURES.pointOfNoReturn,
      noReturnText(crossed, `Going back to version ${target.version}`),
    );
  }
  return assemble(
    catalog,
    environment,
    decided.map(({ service }) => service),
    {
      toVersion: target.version,
      notes: [
        ...decided.flatMap(({ notes }) => notes),
        ...strangers(input),
        ...crossed.map(({ file, reason }) => `Crosses ${file}, which cannot be taken back: ${reason}`),
      ],
      unhealthy,
    },
  );
}

/** The plan around services that were decided: order, longest path, digest. */
export function assemble(
  catalog: Catalog,
  environment: Environment,
  services: readonly Omit<PlannedService, 'dependsOn' | 'remainingSeconds'>[],
  { unhealthy, notes, toVersion }: { unhealthy: ReadonlyMap<string, string>; notes: string[]; toVersion?: number },
): OperationPlan {
  const seconds = new Map(catalog.services.map((service) => [service.name, serviceSeconds(environment, service)]));
  const { services: ordered, ...path } = backwards(catalog.services, services, (name) => seconds.get(name) ?? 0);
  const touched = ordered.filter(({ action }) => action === 'rollback' || action === 'remove');
  return {
    operation: 'rollback',
    environment: environment.name,
    digest: digestOf([
      environment.name,
      'rollback',
      toVersion ?? null,
      ordered.map(({ steps }) =>
        steps.map(({ name, action, digest, revision, toRevision }) => [
          name,
          action,
          digest,
          revision ?? null,
          toRevision ?? null,
        ]),
      ),
    ]),
    ...path,
    services: ordered,
    prerequisites: false,
    simulated: environment.simulation !== undefined,
    phases: catalog.phases,
    helmTimeoutSeconds: environment.helm.timeoutSeconds,
    // After a failure the other services are still rolled back: every one that can be is.
    onFailure: 'continue',
    ...(toVersion === undefined ? {} : { toVersion }),
    ...(notes.length > 0 ? { notes } : {}),
    ...(touched.some(({ name }) => unhealthy.has(name))
      ? {
          unhealthy: touched.flatMap(({ name }) =>
            unhealthy.has(name) ? [{ service: name, reason: unhealthy.get(name) ?? '' }] : [],
          ),
        }
      : {}),
  };
}

/** Of a service's steps, in the reverse of the order in which they were applied. */
export function serviceOf(
  environment: Environment,
  service: Service,
  steps: readonly PlannedStep[],
): Omit<PlannedService, 'dependsOn' | 'remainingSeconds'> {
  const decisive = INVASIVENESS.map((action) => steps.filter((step) => step.action === action))
    .find((found) => found.length > 0)
    ?.reduce((first, step) => (step.name === service.name ? step : first));
  const { number, phase, name, namespace } = service;
  const action = decisive?.action ?? 'unchanged';
  return {
    number,
    phase,
    name,
    namespace,
    action,
    steps: steps.toReversed(),
    reason:
      decisive === undefined || decisive.name === name || action === 'unchanged'
        ? (decisive?.reason ?? '')
        : `${decisive.name}: ${decisive.reason}`,
    healthTimeoutSeconds: service.healthTimeoutSeconds * environment.healthTimeoutFactor,
  };
}

function planService(
  input: RollbackPlanInput,
  service: Service,
): { service: ReturnType<typeof serviceOf>; notes: string[]; lost: VersionedRelease[] } {
  const lost: VersionedRelease[] = [];
  const notes: string[] = [];
  const steps = releasesOf(service)
    .filter(({ kind }) => kind === 'release')
    .flatMap((release): PlannedStep[] => {
      const decision = decide(input, release);
      if (decision === undefined) return [];
      if (decision === 'lost') {
        lost.push(
          ...input.target.releases.filter(
            (candidate) => keyOf(candidate) === releaseKey(release.namespace, release.name),
          ),
        );
        return [];
      }
      const { note, ...step } = decision;
      if (note !== undefined) notes.push(note);
      const { name, namespace, job } = release;
      const now = newestOf(input.revisions.get(releaseKey(namespace, name)) ?? []);
      return [{ kind: 'release', name, namespace, job, ...step, ...(now ? { revision: now.revision } : {}) }];
    });
  return { service: serviceOf(input.environment, service, steps), notes, lost };
}

/** @returns undefined where there is nothing to say; `lost` where Helm cannot bring it back */
function decide(
  { target, newest, revisions, data, orphaned }: RollbackPlanInput,
  release: Release,
): Decision | 'lost' | undefined {
  const key = releaseKey(release.namespace, release.name);
  const all = revisions.get(key) ?? [];
  const current = newestOf(all);
  const wanted = target.releases.find((candidate) => keyOf(candidate) === key);
  if (wanted === undefined)
    return current === undefined || current.status === 'uninstalled'
      ? undefined
      : surplus(release, current, target, data.get(key));
  const { digest } = wanted;
  if (current?.status === 'deployed' && current.digest === digest) {
    if (orphaned?.has(key)) return { action: 'rollback', reason: ORPHANED, digest, toRevision: current.revision };
    return current.proven
      ? { action: 'unchanged', reason: `as in version ${target.version}`, digest }
      : { action: 'verify', reason: `as in version ${target.version}, its health check has not succeeded yet`, digest };
  }
  const back = revisionOf(all, digest);
  if (back === undefined) return 'lost';
  const known = newest?.releases.find((candidate) => keyOf(candidate) === key);
  const change =
    known !== undefined && known.digest === current?.digest
      ? describeChange(known, wanted)
      : `${current?.digest ?? 'nothing'} → ${digest}`;
  return { action: 'rollback', reason: `${change}, revision ${back.revision}`, digest, toRevision: back.revision };
}

function surplus(
  release: Release,
  current: ObservedRevision,
  target: PlatformVersion,
  data: string | undefined,
): Decision {
  const digest = current.digest ?? '';
  const why = release.job ? 'it is a Job, and what it did stays done' : data;
  if (why === undefined) return { action: 'remove', reason: `was not there in version ${target.version}`, digest };
  return {
    action: 'unchanged',
    reason: `was not there in version ${target.version}; stays: ${why}`,
    digest,
    note: `${release.name} was not there in version ${target.version} and stays: ${why}.`,
  };
}

export function newestOf<T extends KeptRevision>(revisions: readonly T[]): T | undefined {
  return revisions.reduce<T | undefined>(
    (best, candidate) => (best && best.revision > candidate.revision ? best : candidate),
    undefined,
  );
}

/** Releases of the version that the catalog of this checkout no longer has: nobody knows how to check them. */
function strangers({ catalog, target }: RollbackPlanInput): string[] {
  const known = new Set(catalog.services.flatMap(releasesOf).map(({ namespace, name }) => releaseKey(namespace, name)));
  return target.releases
    .filter((release) => !known.has(keyOf(release)))
    .map(
      ({ name }) => `${name} of version ${target.version} is not in the catalog of this checkout and is left as it is.`,
    );
}

function refuseLost(
  { target, revisions }: Pick<RollbackPlanInput, 'target' | 'revisions'>,
  lost: readonly VersionedRelease[],
): void {
  if (lost.length === 0) return;
  const edited = (release: VersionedRelease): string =>
    revisions.get(keyOf(release))?.some((revision) => revision.edited) ? ', whose record somebody has edited' : '';
  const names = lost
    .map((release) => `${release.namespace}/${release.name} (digest ${release.digest}${edited(release)})`)
    .join(', ');
  throw new RollbackRefusedError(
    FAILURES.versionUnknown,
    `Version ${target.version} cannot be brought back: Helm's history no longer has ${lost.length === 1 ? 'the revision' : 'the revisions'} of ${names}. Deploy the checkout that version ${target.version} was made from.`,
  );
}
