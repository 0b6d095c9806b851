/** Objects that no release, controller or system made: reported, never touched. */
import type { Clients } from '../../clients/index.ts';
import type { KubernetesObject } from '../../clients/kubernetes/index.ts';
import { isCheckJob } from '../../plan/checks/job.ts';
import { isAccessObject } from '../../plan/access/identities.ts';
import type { Ignore } from '../../plan/drift/ignore.ts';
import { isMadeByOthers } from '../../plan/fields/additions.ts';
import { recordedObjects } from '../../plan/drift/manifest.ts';
import { type AppliedObject, extraObject, type Judged } from '../../plan/drift/object.ts';
import type { ReleaseSurvey } from '../../plan/drift/releases.ts';
import { INSTANCE_LABEL } from '../../contract/names.ts';
import { valueAtPath } from '../../plan/fields/path.ts';
import { wantedSecrets } from '../../plan/vault/kubernetes-secrets.ts';
import { releaseKey } from '../../plan/observed.ts';
import type { Listing } from './listing.ts';
import type { RecordedReleases } from './recorded.ts';

interface Seen {
  listings: ReadonlyMap<string, Listing>;
  applied: readonly AppliedObject[];
  recorded: RecordedReleases;
  survey: ReleaseSurvey;
}

export function extraObjects(
  { catalog }: Pick<Clients, 'catalog'>,
  { listings, applied, recorded, survey }: Seen,
  ignore: Ignore,
): Judged {
  const namespaces = new Set(catalog.namespaces.map(({ name }) => name));
  const hooks = [...recorded.stored.values()].flatMap((release) =>
    release.hooks.flatMap(({ manifest }) => recordedObjects(manifest, release, () => true)),
  );
  const known = new Set([
    ...[...applied, ...hooks].map(({ kind, namespace, name }) => identity(kind, namespace, name)),
    // Vault's side of drift looks after these.
    ...wantedSecrets(catalog).map(({ namespace, name }) => identity('Secret', namespace, name)),
  ]);
  const claims = claimPrefixes(applied);
  const found = [...listings].flatMap(([key, { objects }]) => {
    const kind = key.slice(key.indexOf('/') + 1);
    return objects.flatMap((object): Judged[] => {
      const note = whyExtra(object, kind, namespaces, survey, claims);
      const { name, namespace } = object.metadata;
      return note === undefined || known.has(identity(kind, namespace, name))
        ? []
        : [extraObject({ kind, namespace, name }, object, ignore, note)];
    });
  });
  return {
    findings: found.flatMap(({ findings }) => findings),
    ignored: found.reduce((sum, { ignored }) => sum + ignored, 0),
  };
}

function whyExtra(
  object: KubernetesObject,
  kind: string,
  namespaces: ReadonlySet<string>,
  survey: ReleaseSurvey,
  claims: ReadonlySet<string>,
): string | undefined {
  const { metadata } = object;
  const owners = metadata['ownerReferences'];
  if (kind === 'Namespace' || metadata.deletionTimestamp || (Array.isArray(owners) && owners.length > 0))
    return undefined;
  if (isAccessObject(kind, metadata.name) || isCheckJob(kind, metadata.labels)) return undefined;
  if (kind === 'Secret' && metadata.name.startsWith('sh.helm.release.v1.')) return undefined;
  const release = metadata.annotations?.['meta.helm.sh/release-name'];
  const within = metadata.annotations?.['meta.helm.sh/release-namespace'];
  if (release !== undefined && within !== undefined) {
    const key = releaseKey(within, release);
    // What a release consists of is not known for sure while its record is gone or half done.
    if (!namespaces.has(within) || survey.unknown.has(key)) return undefined;
    return survey.baselines.has(key)
      ? `it bears the mark of release ${release}, which has no such object; it is left alone`
      : `it bears the mark of release ${release}, which does not exist; it is left alone`;
  }
  if (metadata.namespace === undefined || !namespaces.has(metadata.namespace)) return undefined;
  if (!isMadeByOthers(kind, object)) return undefined;
  // Claims hold data: a finding never advises to delete one.
  if (kind === 'PersistentVolumeClaim') return isClaimOfOurs(metadata, survey, claims) ? undefined : NOT_OUR_CLAIM;
  return 'no release of the platform made it; it is left alone: delete it, or have it ignored';
}

function identity(kind: string, namespace: string | undefined, name: string): string {
  return `${kind} ${namespace ?? ''}/${name}`;
}

/** The advice for claims, which never says to delete them. */
const NOT_OUR_CLAIM = 'no release of the platform made it; it holds data and is left alone';

/** `<namespace>/<template>-<set>-` of all StatefulSets that releases have applied. */
function claimPrefixes(applied: readonly AppliedObject[]): Set<string> {
  return new Set(
    applied.flatMap(({ kind, namespace = '', name, object }) => {
      const templates = kind === 'StatefulSet' ? valueAtPath(object, ['spec', 'volumeClaimTemplates']) : undefined;
      return (Array.isArray(templates) ? templates : []).map(
        (template: unknown) => `${namespace}/${String(valueAtPath(template, ['metadata', 'name']))}-${name}-`,
      );
    }),
  );
}

/**
 * A StatefulSet's controller makes them, and others write to them: finalizers of snapshots, annotations of
 * provisioners.
 */
function isClaimOfOurs(
  { name, namespace = '', labels }: KubernetesObject['metadata'],
  { baselines, unknown }: ReleaseSurvey,
  claims: ReadonlySet<string>,
): boolean {
  const release = releaseKey(namespace, labels?.[INSTANCE_LABEL] ?? '');
  return baselines.has(release) || unknown.has(release) || claims.has(`${namespace}/${name.replace(/\d+$/, '')}`);
}
