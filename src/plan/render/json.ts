/** The catalog for programs. */
import type { Catalog, Health, Port, SecretUse, Service, UpstreamChart } from '../../catalog/schema.ts';
import type { Environment } from '../../environment/schema.ts';
import { healthOf } from '../health-check.ts';
import { publicAddress } from '../inputs/ingress.ts';
import { imageOf } from '../inputs/values.ts';

export interface CatalogRow {
  number: number;
  phase: number;
  phaseTitle: string;
  name: string;
  namespace: string;
  module: string;
  kind: Service['kind'];
  description: string;
  chart: { bundled: string; upstream?: Pick<UpstreamChart, 'name' | 'version' | 'versionLine' | 'repository' | 'oci'> };
  /** Repository and tag, as the environment has them. */
  image: string;
  dependsOn: string[];
  health: Health;
  ports: Port[];
  /** Where people reach it, `https://<host>.<domain>`, by an Ingress or by a proxy in front of the NodePorts. */
  address?: string;
  /** Vault paths; those of its steps too. */
  secrets: SecretUse[];
  databases: string[];
  /** Further releases that belong to the row, in the order of their application. */
  before: string[];
  after: string[];
  /** Seconds that such a service really takes. */
  startupSeconds: number;
}

/** @returns one row per service, in the order of their numbers */
export function catalogRows(catalog: Catalog, environment: Environment): CatalogRow[] {
  return catalog.services.map((service) => ({
    number: service.number,
    phase: service.phase,
    phaseTitle: catalog.phases.find(({ number }) => number === service.phase)?.title ?? '',
    name: service.name,
    namespace: service.namespace,
    module: service.module,
    kind: service.kind,
    description: service.description,
    chart: chartOf(catalog, service),
    image: image(environment, service),
    dependsOn: service.dependsOn,
    health: healthOf(environment, service),
    ports: service.ports,
    ...addressOf(environment, service),
    secrets: [
      ...service.secrets,
      ...[...service.before, ...service.after].flatMap((step) => (step.kind === 'release' ? step.secrets : [])),
    ],
    databases: service.databases,
    before: service.before.map(({ name }) => name),
    after: service.after.map(({ name }) => name),
    startupSeconds: service.startupSeconds,
  }));
}

function addressOf(environment: Environment, service: Service): Pick<CatalogRow, 'address'> {
  const address = publicAddress(environment, service);
  return address === undefined ? {} : { address };
}

function chartOf(catalog: Catalog, { chart }: Service): CatalogRow['chart'] {
  const upstream = catalog.upstreamCharts[chart.upstream ?? ''];
  if (upstream === undefined) return { bundled: chart.bundled };
  const { name, version, versionLine, repository, oci } = upstream;
  return {
    bundled: chart.bundled,
    upstream: { name, version, versionLine, repository, ...(oci === undefined ? {} : { oci }) },
  };
}

function image(environment: Environment, service: Service): string {
  const { repository, tag } = imageOf(environment, service.name, service.image, {});
  return `${repository}:${tag}`;
}
