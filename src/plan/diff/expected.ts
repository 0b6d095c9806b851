/** How long it would take: from what was measured in this cluster before, else from the catalog's start-up times. */
import type { PlatformVersion } from '../../contract/version.ts';
import { criticalPath, type Dependent } from '../graph.ts';
import type { Expected, ServiceChange } from './types.ts';

/** The newest measurements say most: of each service these many. */
const SAMPLES = 5;

/**
 * @param versions newest first or last, as they are kept
 * @returns median of the newest measured seconds per service; nothing for services that were never brought up
 */
export function measuredSeconds(
  versions: readonly Pick<PlatformVersion, 'version' | 'services' | 'operation'>[],
): Map<string, number> {
  const samples = new Map<string, number[]>();
  for (const { operation, services } of versions.toSorted((a, b) => b.version - a.version)) {
    // Taking something back or away takes another time than bringing it up.
    if (operation !== 'deploy') continue;
    for (const { name, seconds, changed } of services) {
      const known = samples.get(name) ?? [];
      if (changed && known.length < SAMPLES) samples.set(name, [...known, seconds]);
    }
  }
  return new Map([...samples].map(([name, values]) => [name, median(values)]));
}

type Undated = Omit<ServiceChange, 'expectedSeconds' | 'expectedFrom'>;

/** @param declared seconds per service as the catalog has them, scaled as the environment says */
export function withExpected(
  services: readonly Undated[],
  measured: ReadonlyMap<string, number>,
  declared: ReadonlyMap<string, number>,
): { services: ServiceChange[]; expected: Expected } {
  const dated = services.map((service): ServiceChange => {
    const past = measured.get(service.name);
    const seconds = service.action === 'skip' ? 0 : (past ?? declared.get(service.name) ?? 0);
    return { ...service, expectedSeconds: rounded(seconds), expectedFrom: past === undefined ? 'declared' : 'past' };
  });
  const touched = dated.filter(({ action }) => action !== 'skip');
  const byName = new Map(touched.map((service) => [service.name, service]));
  const { seconds, path } = criticalPath(waiting(dated, byName), (name) => byName.get(name)?.expectedSeconds ?? 0);
  return {
    services: dated,
    expected: {
      seconds: rounded(seconds),
      path,
      touched: touched.length,
      measured: touched.filter(({ expectedFrom }) => expectedFrom === 'past').length,
    },
  };
}

/** Touched services alone: nobody waits for one that is left as it is. */
function waiting(services: readonly Undated[], touched: ReadonlyMap<string, unknown>): Dependent[] {
  return services
    .filter(({ name }) => touched.has(name))
    .map(({ name, dependsOn }) => ({ name, dependsOn: dependsOn.filter((dependency) => touched.has(dependency)) }));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
