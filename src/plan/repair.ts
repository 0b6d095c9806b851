/** What brings drifted releases back: each from Helm's own record, so that what comes back is what was there. Pure. */
import type { Catalog, Service } from '../catalog/schema.ts';
import type { DriftFinding } from '../contract/drift.ts';
import { RELEASE_LABELS } from '../contract/names.ts';
import type { OperationPlan, PlannedService, PlannedStep } from '../contract/operations/plan.ts';
import type { Environment } from '../environment/schema.ts';
import { digestOf } from './digest.ts';
import { lastApplied, ownRevision } from './drift/releases.ts';
import { decisiveStep, expectedTimesOf } from './expected-times.ts';
import { type ObservedRelease, releaseKey } from './observed.ts';
import { type Release, releasesOf } from './releases.ts';

export interface RepairPlanInput {
  catalog: Catalog;
  environment: Environment;
  findings: readonly DriftFinding[];
  /** All that Helm has, oldest first, by release key. */
  revisions: ReadonlyMap<string, readonly ObservedRelease[]>;
  /** What this checkout would apply, by release name: for releases of which Helm has no record any more. */
  digests: ReadonlyMap<string, string>;
  /** What the newest platform version says that was there, by release key. */
  versioned: ReadonlyMap<string, string>;
}

/** Releases without findings that a release repairs are `unchanged`. */
export function buildRepairPlan(input: RepairPlanInput): OperationPlan {
  const { catalog, environment } = input;
  const notes: string[] = [];
  const services = catalog.services.map((service) => planService(input, service, notes));
  const times = expectedTimesOf(catalog, environment, services);
  return {
    operation: 'repair',
    environment: environment.name,
    digest: digestOf([
      environment.name,
      'repair',
      services.map(({ steps }) =>
        steps.map(({ name, action, digest, revision, toRevision }) => [
          name,
          action,
          digest,
          revision ?? 0,
          toRevision ?? 0,
        ]),
      ),
    ]),
    ...times,
    prerequisites: false,
    simulated: environment.simulation !== undefined,
    phases: catalog.phases,
    helmTimeoutSeconds: environment.helm.timeoutSeconds,
    // What can be brought back is, whatever becomes of the rest.
    onFailure: 'continue',
    ...(notes.length > 0 ? { notes } : {}),
  };
}

function planService(
  input: RepairPlanInput,
  service: Service,
  notes: string[],
): Omit<PlannedService, 'remainingSeconds'> {
  const steps = releasesOf(service)
    .filter(({ kind }) => kind === 'release')
    .map((release) => planStep(input, release, notes));
  const decisive = decisiveStep(steps, service.name);
  const { number, phase, name, namespace, dependsOn } = service;
  return {
    number,
    phase,
    name,
    namespace,
    dependsOn,
    steps,
    action: decisive?.action ?? 'unchanged',
    reason:
      decisive === undefined
        ? 'as it was applied'
        : decisive.name === name
          ? decisive.reason
          : `${decisive.name}: ${decisive.reason}`,
    healthTimeoutSeconds: service.healthTimeoutSeconds * input.environment.healthTimeoutFactor,
  };
}

function planStep(
  { findings, revisions, digests, versioned }: RepairPlanInput,
  release: Release,
  notes: string[],
): PlannedStep {
  const { kind, name, namespace, job } = release;
  const key = releaseKey(namespace, name);
  const all = revisions.get(key) ?? [];
  const newest = all.at(-1);
  const applied = lastApplied(all);
  const own = ownRevision(all.filter(({ labels }) => labels[RELEASE_LABELS.digest] === applied));
  const ownDigest = own?.labels[RELEASE_LABELS.digest];
  const base = { kind, name, namespace, job, ...(newest ? { revision: newest.revision } : {}) };
  const unchanged = (reason: string): PlannedStep => ({
    ...base,
    action: 'unchanged',
    reason,
    digest: ownDigest ?? '',
  });
  const drifted = findings.filter(
    (finding) =>
      finding.release === name &&
      finding.service === release.service &&
      ['release', 'job'].includes(finding.repair ?? ''),
  );
  if (drifted.length === 0) return unchanged('as it was applied');
  const reason = reasonOf(drifted);
  if (newest?.status === 'deployed' && own && ownDigest !== undefined)
    return { ...base, action: 'repair', reason, digest: ownDigest, toRevision: own.revision };
  const digest = digests.get(name);
  const was = own === undefined && applied !== undefined ? applied : versioned.get(key);
  if (digest === undefined || (was !== undefined && was !== digest)) {
    notes.push(
      `${name} is left as it is: Helm's record of what was applied (digest ${was ?? 'unknown'}) is gone, and this checkout would apply something else (${digest ?? 'nothing'}). Deploy the checkout that you want.`,
    );
    return unchanged("Helm's record is gone, and this checkout has something else");
  }
  return {
    ...base,
    action: 'retry',
    reason: `${reason}; applied again from this checkout, which has the same content`,
    digest,
  };
}

function reasonOf(findings: readonly DriftFinding[]): string {
  const [first] = findings;
  const what =
    first === undefined ? '' : `${first.object}${first.field === undefined ? '' : ` ${first.field}`} ${first.kind}`;
  return findings.length > 1 ? `${what}, and ${findings.length - 1} more` : what;
}
