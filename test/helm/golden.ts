/** What every release of the sandbox renders to; `UPDATE_GOLDENS=1` writes it anew. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { allReleases, type Release } from '../../src/plan/releases.ts';
import { catalog, config } from './helm.ts';

/**
 * The environments whose charts are rendered: the sandbox; one with staging's numbers; one with production's Vault and
 * an image by digest.
 */
export type GoldenSet = 'helm' | 'helm-replicated' | 'helm-guarded';

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: Record<string, unknown>;
  data?: Record<string, string>;
}

export function goldenFolder(set: GoldenSet): string {
  return join(config.repoRoot, 'test', 'golden', set);
}

/** A Job's name ends in the digest of chart and values: left out, or every chart edit would touch every Job. */
export function withoutDigest(release: Release, text: string): string {
  return release.job
    ? text.replace(new RegExp(`\\b${release.name}-[0-9a-f]{8}\\b`, 'g'), `${release.name}-00000000`)
    : text;
}

export interface GoldenRelease {
  release: Release;
  objects: KubernetesObject[];
}
const read = new Map<string, GoldenRelease[]>();

/** Objects of every release, from the golden files: rules are checked without Helm. */
export function goldenObjects(set: GoldenSet = 'helm'): GoldenRelease[] {
  const known = read.get(set) ?? readGoldens(set);
  read.set(set, known);
  return known;
}

function readGoldens(set: GoldenSet): GoldenRelease[] {
  const files = new Set(readdirSync(goldenFolder(set)));
  return allReleases(catalog)
    .filter(({ name }) => files.has(`${name}.yaml`))
    .map((release) => ({
      release,
      objects: parseObjects(readFileSync(join(goldenFolder(set), `${release.name}.yaml`), 'utf8')),
    }));
}

export function parseObjects(text: string): KubernetesObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}
