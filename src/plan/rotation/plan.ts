/** What a rotation does: which secrets, and which readers are restarted in the order of the graph. Pure. */
import type { Catalog, Service } from '../../catalog/schema.ts';
import type { OperationPlan, PlannedService, PlannedStep } from '../../contract/operations/plan.ts';
import type { Environment } from '../../environment/schema.ts';
import { digestOf } from '../digest.ts';
import { decisiveStep, expectedTimesOf } from '../expected-times.ts';
import { type ObservedRelease, releaseKey } from '../observed.ts';
import { releasesOf } from '../releases.ts';
import { readersOf } from './readers.ts';
import { type Rotatable, secretText } from './rotatable.ts';

export interface Rotating extends Rotatable {
  /** Version of the path in Vault. */
  version: number;
  /** An earlier rotation was interrupted: it goes on, with the value that it has made. */
  resumes: boolean;
}

export interface RotatePlanInput {
  catalog: Catalog;
  environment: Environment;
  secrets: readonly Rotating[];
  /** Newest revision that Helm has, by release key. */
  revisions: ReadonlyMap<string, ObservedRelease>;
  /** One line each. */
  notes: readonly string[];
}

/** Without its steps. */
export function buildRotatePlan({ catalog, environment, secrets, revisions, notes }: RotatePlanInput): OperationPlan {
  const readers = new Map(readersOf(catalog, secrets).map((reader) => [reader.release.name, reader.secrets]));
  const services = catalog.services.map((service) => planService(environment, service, readers, revisions));
  const times = expectedTimesOf(catalog, environment, services);
  return {
    operation: 'rotate',
    environment: environment.name,
    digest: digestOf([
      environment.name,
      'rotate',
      secrets.map(({ path, key, version, resumes }) => [path, key, version, resumes]),
      services.map(({ steps }) => steps.map(({ name, action, revision }) => [name, action, revision ?? 0])),
    ]),
    ...times,
    prerequisites: false,
    simulated: environment.simulation !== undefined,
    phases: catalog.phases,
    helmTimeoutSeconds: environment.helm.timeoutSeconds,
    // After a failure the other readers still get the new value; the former one stays valid for those that do not.
    onFailure: 'continue',
    ...(notes.length + secrets.length === 0
      ? {}
      : { notes: [...secrets.filter(({ resumes }) => resumes).map(resumed), ...notes] }),
  };
}

function resumed(secret: Rotating): string {
  return `${secretText(secret)}: a rotation that was interrupted goes on with the value that it has made`;
}

function planService(
  environment: Environment,
  service: Service,
  readers: ReadonlyMap<string, string[]>,
  revisions: ReadonlyMap<string, ObservedRelease>,
): Omit<PlannedService, 'remainingSeconds'> {
  const steps = releasesOf(service)
    .filter(({ kind }) => kind === 'release')
    .map(({ kind, name, namespace, job }): PlannedStep => {
      const found = revisions.get(releaseKey(namespace, name));
      const secrets = readers.get(name);
      const common = { kind, name, namespace, job, digest: '', ...(found ? { revision: found.revision } : {}) };
      if (secrets === undefined || found === undefined)
        return {
          ...common,
          action: 'unchanged',
          reason: secrets === undefined ? 'reads none of them' : 'is not there',
        };
      return {
        ...common,
        action: 'restart',
        reason: `its pods are replaced, which read Secret ${secrets.join(', ')} when they start`,
        restart: secrets,
      };
    });
  const decisive = decisiveStep(steps, service.name);
  const { number, phase, name, namespace, dependsOn, optionalDependencies } = service;
  return {
    number,
    phase,
    name,
    namespace,
    dependsOn,
    ...(optionalDependencies.length === 0 ? {} : { optionalDependencies }),
    steps,
    action: decisive?.action ?? 'unchanged',
    reason: decisive?.reason ?? 'reads none of them',
    healthTimeoutSeconds: service.healthTimeoutSeconds * environment.healthTimeoutFactor,
  };
}
