/** Two states of the platform, down to the fields of what Helm applied. Holds no secret values. Pure. */
import type { VersionedRelease } from '../../contract/version.ts';
import { diffFields } from '../diff/fields.ts';
import { type ManifestObject, manifestObjects } from '../diff/manifest.ts';
import { withoutSecrets } from '../diff/redact.ts';
import type { FieldChange } from '../diff/types.ts';
import { changesBetween, keyOf, type ReleaseChange } from './versions.ts';

export interface ObjectDiff {
  kind: string;
  /** For a Job: its name without the digest at the end. */
  name: string;
  change: 'added' | 'removed' | 'changed';
  fields: FieldChange[];
}

export interface ReleaseDiff extends ReleaseChange {
  objects: ObjectDiff[];
  /** Why objects are not compared: one line. */
  note?: string;
}

/** What Helm recorded, by `<namespace>/<release>`; undefined where its history no longer has it. */
export type Manifests = ReadonlyMap<string, string | undefined>;

export function diffReleases(
  before: readonly VersionedRelease[],
  after: readonly VersionedRelease[],
  manifests: { before: Manifests; after: Manifests },
): ReleaseDiff[] {
  return changesBetween(before, after).map((change) => {
    if (change.kind !== 'changed') return { ...change, objects: [] };
    const key = keyOf({ namespace: change.namespace, name: change.release });
    const [was, is] = [manifests.before.get(key), manifests.after.get(key)];
    if (was === undefined || is === undefined)
      return { ...change, objects: [], note: "Helm's history no longer has both revisions" };
    return { ...change, objects: diffManifests(was, is, change.release) };
  });
}

/** Object by object, in the order of the later manifest. */
export function diffManifests(was: string, is: string, release: string): ObjectDiff[] {
  const index = (text: string): Map<string, ManifestObject> =>
    new Map(
      manifestObjects(text).map((object) => [
        `${object.kind}/${object.namespace ?? ''}/${stableName(object, release)}`,
        object,
      ]),
    );
  const [old, current] = [index(was), index(is)];
  const named = (object: ManifestObject): Pick<ObjectDiff, 'kind' | 'name'> => ({
    kind: object.kind,
    name: stableName(object, release),
  });
  return [
    ...[...current].flatMap(([key, object]): ObjectDiff[] => {
      const before = old.get(key);
      if (before === undefined) return [{ ...named(object), change: 'added', fields: [] }];
      const fields = diffFields(withoutSecrets(before.object), withoutSecrets(object.object)).filter(
        ({ path }) => !(object.kind === 'Job' && path === 'metadata.name'),
      );
      return fields.length === 0 ? [] : [{ ...named(object), change: 'changed', fields }];
    }),
    ...[...old]
      .filter(([key]) => !current.has(key))
      .map(([, object]): ObjectDiff => ({ ...named(object), change: 'removed', fields: [] })),
  ];
}

/** A Job is named after its digest: a changed one is another object, and the same thing. */
function stableName({ kind, name }: ManifestObject, release: string): string {
  return kind === 'Job' && name.startsWith(`${release}-`) ? name.replace(/-[0-9a-f]{8}$/, '') : name;
}
