/** What a service consists of: its own Helm release, and the steps before and after it. */
import type { PlannedKind } from '../contract/operations/plan.ts';
import type { Catalog, Image, SecretUse, Service, Step } from '../catalog/schema.ts';

export interface Release {
  kind: PlannedKind;
  /** Helm release name; for the main release the service's. */
  name: string;
  namespace: string;
  /** The row it belongs to. */
  service: string;
  position: 'before' | 'main' | 'after';
  /** Folder below helm/charts; empty for the initialisation of Vault, which is no release. */
  chart: string;
  /** True where the release is a Job that has to complete. */
  job: boolean;
  image?: Image;
  secrets: SecretUse[];
  /** As declared, unscaled. */
  startupSeconds: number;
}

/**
 * What is worked out once for a catalog's rows: with thousands of them, each look through all of them costs seconds.
 */
interface Index {
  all: readonly Release[];
  byName: ReadonlyMap<string, Release>;
  ofService: ReadonlyMap<string, readonly Release[]>;
  services: ReadonlyMap<string, Service>;
}
const known = new WeakMap<Catalog, Index>();

function indexOf(catalog: Catalog): Index {
  const found = known.get(catalog);
  if (found !== undefined) return found;
  const ofService = new Map(catalog.services.map((service) => [service.name, releasesOf(service)]));
  const all = [...ofService.values()].flat();
  const index: Index = {
    all,
    byName: firstByName(all),
    ofService,
    services: firstByName(catalog.services),
  };
  known.set(catalog, index);
  return index;
}

function firstByName<T extends { name: string }>(all: readonly T[]): Map<string, T> {
  return new Map(all.toReversed().map((one) => [one.name, one]));
}

/** In the order in which they are applied. */
export function releasesOf(service: Service): Release[] {
  const main: Release = {
    kind: 'release',
    name: service.name,
    namespace: service.namespace,
    service: service.name,
    position: 'main',
    chart: service.chart.bundled,
    job: service.kind === 'job',
    image: service.image,
    secrets: service.secrets,
    startupSeconds: service.startupSeconds,
  };
  return [
    ...service.before.map((step) => releaseOfStep(service, step, 'before')),
    main,
    ...service.after.map((step) => releaseOfStep(service, step, 'after')),
  ];
}

function releaseOfStep(service: Service, step: Step, position: 'before' | 'after'): Release {
  const common = {
    name: step.name,
    namespace: service.namespace,
    service: service.name,
    position,
    startupSeconds: step.startupSeconds,
  };
  if (step.kind === 'vault-init') return { ...common, kind: 'vault-init', chart: '', job: false, secrets: [] };
  return {
    ...common,
    kind: 'release',
    chart: step.chart,
    job: step.job,
    secrets: step.secrets,
    ...(step.image ? { image: step.image } : {}),
  };
}

/** Of all services, in the order of their numbers. */
export function allReleases(catalog: Catalog): readonly Release[] {
  return indexOf(catalog).all;
}

/** What of a service Helm installs; nothing of a service that is not there. */
export function helmReleasesOf(catalog: Catalog, service: string): Release[] {
  return (indexOf(catalog).ofService.get(service) ?? []).filter(({ kind }) => kind === 'release');
}

/** @throws Error when no service or step has this name */
export function findRelease(catalog: Catalog, name: string): Release {
  const release = indexOf(catalog).byName.get(name);
  if (release === undefined) throw new Error(`The catalog has no service or step "${name}".`);
  return release;
}

/** @throws Error when there is no such service */
export function findService(catalog: Catalog, name: string): Service {
  const service = indexOf(catalog).services.get(name);
  if (service === undefined) throw new Error(`The catalog has no service "${name}".`);
  return service;
}
