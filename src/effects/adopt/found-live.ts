/**
 * What others have brought up, as the cluster itself says it: Helm's records (Terraform's provider, helmfile and helm
 * write the same) and Argo CD's Applications. Changes nothing; of Secrets only names and keys are kept.
 */
import { z } from 'zod';
import { DamagedRecordError, readStoredRelease } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import { isNotFound, paths } from '../../clients/kubernetes/index.ts';
import { OWNER_LABEL } from '../../contract/names.ts';
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { type Found, type FoundRelease, type FoundSecret, nothingInVault } from '../../plan/adoption/found.ts';
import { scrubbed } from '../../plan/adoption/scrub.ts';
import { manifestObjects } from '../../plan/diff/manifest.ts';
import { helmValues } from '../../plan/inputs/kubernetes-yaml.ts';
import { allReleases } from '../../plan/releases.ts';
import { releaseKey } from '../../plan/observed.ts';
import { foreignReleases } from '../release/ours.ts';
import { newestOfEach } from '../release/revisions.ts';
import { allJudgedRevisions } from '../release/provenance.ts';

type Reading = Pick<Clients, 'kubernetes' | 'catalog' | 'environment' | 'vault' | 'redactor'>;

const APPLICATIONS = '/apis/argoproj.io/v1alpha1/applications';
const sourceSchema = z.looseObject({
  repoURL: z.string().default(''),
  chart: z.string().optional(),
  targetRevision: z.string().default(''),
  helm: z
    .looseObject({
      releaseName: z.string().optional(),
      values: z.string().optional(),
      valuesObject: z.record(z.string(), z.unknown()).optional(),
      parameters: z.array(z.looseObject({ name: z.string(), value: z.string().default('') })).optional(),
    })
    .optional(),
});
const applicationSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().default(''),
    labels: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.looseObject({
    source: sourceSchema.optional(),
    sources: z.array(sourceSchema).optional(),
    destination: z.looseObject({ namespace: z.string().default('default') }).default({ namespace: 'default' }),
    syncPolicy: z.looseObject({ automated: z.looseObject({}).nullish() }).nullish(),
  }),
});
const keysSchema = z.looseObject({ type: z.string().optional(), data: z.record(z.string(), z.unknown()).nullish() });
/** Kept by others for themselves: Helm's records, tokens of accounts, certificates. */
const OPAQUE = 'Opaque';

/** @throws KubernetesError */
export async function foundLive(clients: Reading, signal: AbortSignal): Promise<Found> {
  const [records, applications, secrets] = await Promise.all([
    recorded(clients, signal),
    synchronised(clients, signal),
    secretsOf(clients, signal),
  ]);
  const known = new Set(records.releases.map(({ namespace, name }) => releaseKey(namespace, name)));
  return {
    origin: `the cluster of "${clients.environment.name}"`,
    releases: [
      ...records.releases.map((one) => ({
        ...one,
        ...(applications.some((app) => app.synchronises && app.name === one.name && app.namespace === one.namespace)
          ? { synchronises: true }
          : {}),
      })),
      ...applications.filter(({ namespace, name }) => !known.has(releaseKey(namespace, name))),
    ],
    secrets,
    vault: nothingInVault(),
    others: records.others,
  };
}

async function recorded(clients: Reading, signal: AbortSignal): Promise<Pick<Found, 'releases' | 'others'>> {
  const { revisions } = await allJudgedRevisions(clients, signal);
  const foreign = await foreignReleases(clients, revisions, signal);
  const ofCatalog = new Set(allReleases(clients.catalog).map(({ namespace, name }) => releaseKey(namespace, name)));
  const others = [...newestOfEach(revisions)].filter(
    ([key, { status }]) => status !== 'uninstalled' && (foreign.has(key) || !ofCatalog.has(key)),
  );
  const read = await Promise.all(
    others.map(async ([, { name, revision, status, manager, secret }]): Promise<FoundRelease | string | undefined> => {
      try {
        const stored = await readStoredRelease(clients.kubernetes, secret.namespace, name, revision, signal);
        if (stored === undefined) return undefined;
        return {
          namespace: secret.namespace,
          name,
          chart: { name: stored.chart.metadata.name, version: stored.chart.metadata.version },
          ...scrubbed(stored.config),
          status,
          by: 'helm',
          source: `Helm's record, revision ${revision}, written by ${manager}`,
          ...(isTree(stored.chart['values']) ? { defaults: stored.chart['values'] } : {}),
          madeSecrets: manifestObjects(stored.manifest)
            .filter(({ kind }) => kind === 'Secret')
            .map((made) => made.name),
        };
      } catch (error) {
        if (error instanceof DamagedRecordError) return releaseKey(secret.namespace, name);
        throw error;
      }
    }),
  );
  return {
    releases: read.filter((one) => typeof one === 'object'),
    others: read
      .filter((one) => typeof one === 'string')
      .map((key) => ({ what: `release ${key}`, why: "Helm's record of it cannot be read" })),
  };
}

/** Those that Argo CD renders with Helm: they leave no record of Helm's. Those of the deployer show, and do nothing. */
async function synchronised({ kubernetes }: Reading, signal: AbortSignal): Promise<FoundRelease[]> {
  const { items } = await kubernetes.list(APPLICATIONS, {}, signal).catch((error: unknown) => {
    if (isNotFound(error)) return { items: [] };
    throw error;
  });
  return items.flatMap((item) => {
    const { metadata, spec } = applicationSchema.parse(item);
    if (metadata.labels?.[OWNER_LABEL] !== undefined) return [];
    const source = [spec.source, ...(spec.sources ?? [])].find((one) => one?.chart !== undefined);
    if (source?.chart === undefined) return [];
    const { helm } = source;
    return [
      {
        namespace: spec.destination.namespace,
        name: helm?.releaseName ?? metadata.name,
        chart: { name: source.chart, version: source.targetRevision },
        ...scrubbed(helm?.valuesObject ?? valuesIn(helm?.values)),
        status: 'rendered by Argo CD',
        by: 'argocd' as const,
        source: `Application ${metadata.namespace}/${metadata.name}`,
        ...(spec.syncPolicy?.automated ? { synchronises: true } : {}),
      },
    ];
  });
}

function valuesIn(text: string | undefined): Tree {
  const values = text === undefined ? {} : helmValues(text);
  return isTree(values) ? values : {};
}

/** Helm's records, which hold whole charts, are left out by the API server already. */
async function secretsOf({ kubernetes, catalog }: Reading, signal: AbortSignal): Promise<FoundSecret[]> {
  const lists = await Promise.all(
    catalog.namespaces.map(({ name }) =>
      kubernetes.list(paths.secrets(name), { fieldSelector: `type=${OPAQUE}` }, signal),
    ),
  );
  return lists.flatMap(({ items }) =>
    items.flatMap((item) => {
      const { type, data } = keysSchema.parse(item);
      if (type !== OPAQUE || item.metadata.labels?.[OWNER_LABEL] !== undefined) return [];
      return [
        {
          namespace: item.metadata.namespace ?? '',
          name: item.metadata.name,
          keys: Object.keys(data ?? {}).sort(),
          source: 'the cluster',
        },
      ];
    }),
  );
}
