/** Reads what an environment has deployed, from Helm's own records, for rehearsals elsewhere. Changes nothing. */
import { type StoredRelease, readStoredRelease } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import { type KubernetesObject, paths, releaseOf } from '../../clients/kubernetes/index.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { VersionedRelease } from '../../contract/version.ts';
import { platformName } from '../../environment/platform-folder.ts';
import { releaseKey } from '../../plan/observed.ts';
import {
  type Export,
  type ExportedObject,
  type ExportedRelease,
  withoutSecretValues,
} from '../../plan/rehearsal/export.ts';
import { revisionOf } from '../../plan/versions/history-kept.ts';
import { chosen } from '../plan/rollback.ts';
import { currentReleases, type OurRevisions, readOurRevisions } from '../versions/contents.ts';
import { readVersions } from '../versions/store.ts';

/** Labels of a namespace by which pods are refused. */
const POD_SECURITY = 'pod-security.kubernetes.io/';

/**
 * @param version a platform version that is kept; undefined: what runs now
 * @throws RollbackRefusedError for a version that is not kept; DeployError where Helm no longer has a revision of it,
 *   or nothing of ours is there
 */
export async function readExport(clients: Clients, version: number | undefined, signal?: AbortSignal): Promise<Export> {
  const { kubernetes, environment, catalog } = clients;
  const [versions, revisions, identity] = await Promise.all([
    readVersions(kubernetes, environment.name, signal),
    readOurRevisions(clients, signal),
    kubernetes.identity(signal),
  ]);
  const wanted =
    version === undefined
      ? await currentReleases({ kubernetes, catalog }, revisions, versions[0], signal)
      : chosen(environment.name, versions, version).releases;
  if (wanted.length === 0)
    throw new DeployError(
      FAILURES.invalidInput,
      `Nothing of ${environment.name} is deployed there, so there is nothing to export.`,
    );
  const releases = await Promise.all(wanted.map((release) => exported(clients, release, revisions, signal)));
  return {
    format: 1,
    environment: environment.name,
    platform: platformName(environment),
    clusterUid: identity.uid,
    at: new Date().toISOString(),
    ...(version === undefined ? {} : { version }),
    releases,
    objects: await inTheWay(clients, new Set(releases.map(({ namespace }) => namespace)), releases, signal),
  };
}

async function exported(
  { kubernetes, redactor }: Pick<Clients, 'kubernetes' | 'redactor'>,
  { service, name, namespace, job, digest }: VersionedRelease,
  revisions: OurRevisions,
  signal: AbortSignal | undefined,
): Promise<ExportedRelease> {
  const kept = revisionOf(revisions.get(releaseKey(namespace, name)) ?? [], digest);
  const stored =
    kept === undefined ? undefined : await readStoredRelease(kubernetes, namespace, name, kept.revision, signal);
  if (stored === undefined)
    throw new DeployError(
      FAILURES.versionUnknown,
      `Helm no longer has ${namespace}/${name} as ${digest}, so what was deployed then cannot be exported. Take another version.`,
    );
  const { metadata } = stored.chart;
  return {
    service,
    name,
    namespace,
    job,
    digest,
    chart: {
      name: metadata.name,
      version: metadata.version,
      ...(metadata.appVersion === undefined ? {} : { appVersion: metadata.appVersion }),
    },
    manifest: redactor.redact(withoutSecretValues(wholeManifest(stored))),
  };
}

function wholeManifest({ manifest, hooks }: StoredRelease): string {
  return [manifest.trimEnd(), ...hooks.map((hook) => `---\n${hook.manifest.trimEnd()}`), ''].join('\n');
}

/** What is nobody's of these releases and decides whether they can be applied. */
async function inTheWay(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  namespaces: ReadonlySet<string>,
  releases: readonly ExportedRelease[],
  signal: AbortSignal | undefined,
): Promise<ExportedObject[]> {
  const lists = await Promise.all(
    (
      [
        [paths.customResourceDefinitions(), 'apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
        [paths.namespaces, 'v1', 'Namespace'],
        ['/api/v1/resourcequotas', 'v1', 'ResourceQuota'],
        ['/api/v1/limitranges', 'v1', 'LimitRange'],
      ] as const
    ).map(async ([path, apiVersion, kind]) => {
      const { items } = await kubernetes.list(path, {}, signal);
      return items.map((object) => ({ apiVersion, kind, object }));
    }),
  );
  const rendered = releases.map(({ manifest }) => manifest).join('\n');
  return lists.flat().flatMap(({ apiVersion, kind, object }): ExportedObject[] => {
    const { name, namespace, labels } = object.metadata;
    const named = { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
    if (kind === 'Namespace') {
      const own = Object.entries(labels ?? {}).filter(([label]) => label.startsWith(POD_SECURITY));
      return namespaces.has(name) && own.length > 0
        ? [{ ...named, metadata: { name, labels: Object.fromEntries(own) } }]
        : [];
    }
    if (namespace !== undefined && (!namespaces.has(namespace) || releaseOf(object) !== undefined)) return [];
    // One that a release brings as a template comes with it; those of a chart's crds folder are in no manifest.
    if (namespace === undefined && isRendered(rendered, object)) return [];
    return [{ ...named, spec: object['spec'] }];
  });
}

function isRendered(manifests: string, { metadata }: KubernetesObject): boolean {
  return new RegExp(`^ {2}name: ["']?${metadata.name.replaceAll('.', '\\.')}["']?$`, 'm').test(manifests);
}
