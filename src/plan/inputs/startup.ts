/** How long services take to start: declared by the catalog, scaled and jittered where pods are simulated. */
import { createHash } from 'node:crypto';
import type { Service } from '../../catalog/schema.ts';
import type { Environment } from '../../environment/schema.ts';
import { releasesOf } from '../releases.ts';

/**
 * @param releaseName service or step
 * @param declaredSeconds the catalog's
 * @returns seconds; the same for the same seed and name, whoever asks
 */
export function startupSeconds(
  environment: Pick<Environment, 'simulation'>,
  releaseName: string,
  declaredSeconds: number,
): number {
  const { simulation } = environment;
  if (simulation === undefined) return declaredSeconds;
  const seconds = simulation.startupSeconds[releaseName] ?? declaredSeconds;
  return seconds * simulation.factor * (1 + simulation.jitter * deviation(simulation.seed, releaseName));
}

/** Seconds from the moment a service may start until it is healthy, its steps before and after included. */
export function serviceSeconds(environment: Pick<Environment, 'simulation'>, service: Service): number {
  return (
    releasesOf(service)
      // Vault is initialised for real in every environment, so nothing scales it.
      .map((release) =>
        release.kind === 'vault-init'
          ? release.startupSeconds
          : startupSeconds(environment, release.name, release.startupSeconds),
      )
      .reduce((sum, seconds) => sum + seconds, 0)
  );
}

/** Between -1 and 1, evenly spread, from nothing but seed and name. */
function deviation(seed: number, name: string): number {
  const digest = createHash('sha256').update(`${seed}/${name}`).digest();
  return (digest.readUInt32BE(0) / 0xffffffff) * 2 - 1;
}
