/** What an environment has deployed, without any secret, as a file from which a rehearsal can begin. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Catalog } from '../../catalog/schema.ts';
import { withoutSecrets } from '../diff/redact.ts';
import { allReleases } from '../releases.ts';
import { kubernetesDocuments } from '../inputs/kubernetes-yaml.ts';
import { isTree, type Tree } from '../../environment/files/merge.ts';

const exportedReleaseSchema = z.strictObject({
  service: z.string(),
  name: z.string(),
  namespace: z.string(),
  job: z.boolean(),
  /** 16 hex characters over chart and values, as in the platform version. */
  digest: z.string(),
  chart: z.strictObject({ name: z.string(), version: z.string(), appVersion: z.string().optional() }),
  /** YAML of all objects and hooks as Helm recorded them; without values that are secret. */
  manifest: z.string(),
});
export type ExportedRelease = z.infer<typeof exportedReleaseSchema>;

const exportedObjectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.enum(['CustomResourceDefinition', 'Namespace', 'ResourceQuota', 'LimitRange']),
  metadata: z.strictObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
});
export type ExportedObject = z.infer<typeof exportedObjectSchema>;

export const exportSchema = z.strictObject({
  format: z.literal(1),
  environment: z.string(),
  platform: z.string(),
  clusterUid: z.string(),
  /** ISO 8601: when it was exported. */
  at: z.string(),
  /** Platform version; absent: what ran then, whatever version that was. */
  version: z.number().int().positive().optional(),
  releases: z.array(exportedReleaseSchema).min(1),
  /** Not of any of these releases, and in their way: definitions, namespaces' Pod Security labels, quotas, limits. */
  objects: z.array(exportedObjectSchema),
});
export type Export = z.infer<typeof exportSchema>;

/** For people. */
export function exportText({ environment, version, at, clusterUid }: Export): string {
  const what = version === undefined ? `what ran in ${environment}` : `version ${version} of ${environment}`;
  return `${what} (cluster ${clusterUid}, exported ${at})`;
}

/**
 * Documents as they are written, where nothing in them is secret. Values of Secrets become placeholders of the same
 * length; what sounds or looks like a secret in other objects is hidden as in every comparison.
 */
export function withoutSecretValues(manifest: string): string {
  return documentsOf(manifest).map(withoutValues).join('---\n');
}

function documentsOf(manifest: string): string[] {
  return manifest.split(/^---[ \t]*$\n?/m).flatMap((text) => (text.trim() === '' ? [] : [`${text.trimEnd()}\n`]));
}

function withoutValues(text: string): string {
  const object: unknown = kubernetesDocuments(text)[0]?.toJS();
  if (!isTree(object)) return text;
  const cleared = clearedObject(object);
  return isDeepStrictEqual(cleared, object) ? text : `${JSON.stringify(cleared)}\n`;
}

function clearedObject(object: Tree): Tree {
  const { kind, items, data, stringData } = object;
  // Helm records lists as they are written.
  if (kind === 'List' && Array.isArray(items))
    return { ...object, items: items.map((item: unknown) => (isTree(item) ? clearedObject(item) : item)) };
  if (kind === 'CustomResourceDefinition') return object;
  if (kind !== 'Secret') return withoutSecrets(object);
  return {
    ...object,
    ...(isTree(data)
      ? { data: replaced(data, (value) => Buffer.from(masked(decoded(value))).toString('base64')) }
      : {}),
    ...(isTree(stringData) ? { stringData: replaced(stringData, masked) } : {}),
  };
}

function replaced(data: Tree, by: (value: string) => string): Tree {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, by(String(value))]));
}

function decoded(value: string): string {
  return Buffer.from(value, 'base64').toString('latin1');
}

function masked(value: string): string {
  return 'x'.repeat(value.length);
}

/** A chart that renders exactly these objects, whatever its values are. */
export function staticChart({ name, job, chart, manifest }: ExportedRelease): Record<string, string> {
  const text = manifest.replaceAll('{{', '{{ "{{" }}');
  return {
    'Chart.yaml': `${JSON.stringify({ apiVersion: 'v2', ...chart })}\n`,
    'values.yaml': '{}\n',
    // The name of a Job says what it was made from, and that is another thing here.
    'templates/objects.yaml': job
      ? text.replaceAll(new RegExp(`\\b${escaped(name)}-[0-9a-f]{8}\\b`, 'g'), '{{ .Values.job.name }}')
      : text,
  };
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

export interface FromExport {
  /** Services to deploy; undefined: all that there are. */
  only: string[] | undefined;
  /** What the checkout would make otherwise today: made as it was exported. */
  changed: ExportedRelease[];
  /** Services that the checkout no longer has: they are left out. */
  gone: string[];
}

/**
 * How a cluster is brought to what was exported by deploying it.
 * @param digests of what the environment makes of each release today
 */
export function fromExport(
  { releases }: Pick<Export, 'releases'>,
  catalog: Catalog,
  digests: ReadonlyMap<string, { digest: string }>,
): FromExport {
  const known = new Set(allReleases(catalog).flatMap(({ kind, name }) => (kind === 'release' ? [name] : [])));
  const there = new Set(releases.map(({ service }) => service));
  const services = catalog.services.map(({ name }) => name);
  const deployed = services.filter((name) => there.has(name));
  return {
    only: deployed.length === services.length ? undefined : deployed,
    changed: releases.filter(({ name, digest }) => known.has(name) && digests.get(name)?.digest !== digest),
    gone: [...there].filter((name) => !services.includes(name)),
  };
}
