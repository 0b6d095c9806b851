/** A cluster in which everything is as wanted; tests change one thing each. */
import { RELEASE_LABELS } from '../../src/contract/names.ts';
import type { Catalog } from '../../src/catalog/schema.ts';
import {
  releaseKey,
  type ObservedCluster,
  type ObservedHealth,
  type ObservedRelease,
} from '../../src/plan/observed.ts';
import { allReleases } from '../../src/plan/releases.ts';

export interface ObservedSample extends ObservedCluster {
  releases: Map<string, ObservedRelease>;
  health: Map<string, ObservedHealth>;
  namespaces: Set<string>;
}

export function asWanted(catalog: Catalog): ObservedSample {
  const releases = allReleases(catalog).filter(({ kind }) => kind === 'release');
  return {
    namespaces: new Set(catalog.namespaces.map(({ name }) => name)),
    releases: new Map(
      releases.map(({ namespace, name }) => [
        releaseKey(namespace, name),
        {
          revision: 3,
          status: 'deployed',
          labels: { [RELEASE_LABELS.digest]: `digest-${name}`, [RELEASE_LABELS.charts]: 'bundled' },
        },
      ]),
    ),
    health: new Map(
      releases
        .filter(({ image }) => image !== undefined)
        .map(({ namespace, name }) => [releaseKey(namespace, name), { healthy: true, reason: '', jobFailed: false }]),
    ),
    vault: 'open',
    vaultConfigured: true,
    vaultReason: '',
  };
}

export function wantedDigests(catalog: Catalog): Map<string, string> {
  return new Map(allReleases(catalog).map(({ name }) => [name, `digest-${name}`]));
}

export function nothingThere(): ObservedSample {
  return {
    namespaces: new Set(),
    releases: new Map(),
    health: new Map(),
    vault: 'absent',
    vaultConfigured: false,
    vaultReason: '',
  };
}
