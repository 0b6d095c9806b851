/** Which checks an operation makes once all services are healthy: the verification stage of a plan. Pure. */
import { checkInstance } from '../../contract/names.ts';
import type { Catalog, Check, Image, Service } from '../../catalog/schema.ts';
import { checkKey, type PlannedCheck } from '../../contract/checks.ts';
import type { Environment } from '../../environment/schema.ts';
import { digestOf } from '../digest.ts';
import { imageOf, replicasOf } from '../inputs/values.ts';

/** @param isDeployed whether a service is part of what the operation leaves behind */
export function plannedChecks(
  catalog: Catalog,
  environment: Environment,
  isDeployed: (service: string) => boolean = () => true,
): PlannedCheck[] {
  return catalog.services
    .filter(({ name, checks }) => checks.length > 0 && isDeployed(name))
    .flatMap((service) => service.checks.map((check) => plannedCheck(environment, service, check)));
}

function plannedCheck(environment: Environment, service: Service, check: Check): PlannedCheck {
  const skipped = reasonAgainst(environment, service, check);
  return {
    service: service.name,
    name: check.name,
    kind: check.kind,
    reason: check.description,
    timeoutSeconds: check.timeoutSeconds * environment.verification.timeoutFactor,
    digest: digestOf(definition(check)),
    ...(skipped === undefined ? {} : { skipped }),
  };
}

/** The check that a plan means. @returns undefined where the catalog has another, or none */
export function findCheck(
  catalog: Catalog,
  { service, name, digest }: Pick<PlannedCheck, 'service' | 'name' | 'digest'>,
): { service: Service; check: Check } | undefined {
  const row = catalog.services.find((candidate) => candidate.name === service);
  const check = row?.checks.find((candidate) => candidate.name === name);
  return row !== undefined && check !== undefined && digestOf(definition(check)) === digest
    ? { service: row, check }
    : undefined;
}

/** Its pods, and the tag of its image as the environment has it. */
export function jobImage(
  environment: Environment,
  service: Service,
  check: { name: string; image?: Image | undefined },
  imageTags: Readonly<Record<string, string>>,
): string {
  const { repository, tag, digest } =
    check.image === undefined
      ? imageOf(environment, service.name, service.image, imageTags)
      : imageOf(environment, checkInstance(service.name, check.name), check.image, imageTags);
  return digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;
}

/** What makes a difference to whoever has approved it. */
function definition({ description: _description, ...check }: Check): unknown {
  return check;
}

function reasonAgainst(environment: Environment, service: Service, check: Check): string | undefined {
  const skipped = environment.verification.skip[checkKey({ service: service.name, name: check.name })];
  if (skipped !== undefined) return skipped;
  return check.kind !== 'promql' && service.kind !== 'job' && replicasOf(environment, service) === 0
    ? `the environment wants no replica of ${service.name}`
    : undefined;
}
