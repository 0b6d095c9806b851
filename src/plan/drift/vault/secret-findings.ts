/**
 * How a Kubernetes Secret made from Vault differs from what was made. Values are compared here and leave as
 * fingerprints only.
 */
import type { DriftFinding } from '../../../contract/drift.ts';
import {
  MANAGED_BY,
  MANAGED_BY_LABEL,
  VAULT_PATH_ANNOTATION,
  VAULT_VERSION_ANNOTATION,
} from '../../../contract/names.ts';
import type { WantedSecret } from '../../vault/kubernetes-secrets.ts';
import { isOursAlone, ownerOfField } from './secret-owner.ts';
import { vaultFinding } from './finding.ts';

export interface SeenSecret {
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  managedFields: unknown;
  immutable: boolean;
  values: Readonly<Record<string, string>>;
}

/** Its path in Vault. */
export interface SourcePath {
  values: Readonly<Record<string, string>>;
  /** As in the annotation. */
  revision: string;
  createdAt?: string;
  createdBy?: string | undefined;
}

/**
 * @param source undefined where Vault could not be asked: then only what the Secret says of itself counts
 * @param ownName whether the Secret's name is ours; into others their reader writes, too
 */
export function secretFindings(
  wanted: WantedSecret,
  seen: SeenSecret | undefined,
  source: SourcePath | undefined,
  { ownName, fingerprint }: { ownName: boolean; fingerprint: (value: string) => string },
): DriftFinding[] {
  const object = `Secret ${wanted.namespace}/${wanted.name}`;
  if (!seen)
    return [
      vaultFinding({
        kind: 'missing',
        area: 'secret',
        object,
        repair: 'secret',
        note: 'It is made from Vault again, with the same values.',
      }),
    ];
  const data = dataFindings(object, wanted, seen, source, fingerprint);
  return [
    ...labelFindings(object, wanted, seen),
    ...annotationFindings(object, wanted, seen, source, data.length > 0),
    ...data,
    ...(ownName ? extraKeys(object, wanted, seen) : []),
    ...(seen.immutable
      ? [
          vaultFinding({
            kind: 'extra',
            area: 'secret',
            object,
            field: 'immutable',
            is: 'true',
            ...ownerOfField(seen.managedFields, ['immutable'], MANAGED_BY),
            note: 'It can no longer be changed: delete it, and it is made again.',
          }),
        ]
      : []),
  ];
}

/** Findings about Secrets made from Vault that no service reads any more. */
export function extraSecret(namespace: string, name: string, path: string): DriftFinding {
  return vaultFinding({
    kind: 'extra',
    area: 'secret',
    object: `Secret ${namespace}/${name}`,
    is: `made from ${path}`,
    note: `No service of the catalog reads it. Not removed automatically; remove it with: kubectl -n ${namespace} delete secret ${name}`,
  });
}

function labelFindings(object: string, { labels }: WantedSecret, seen: SeenSecret): DriftFinding[] {
  return Object.entries({ ...labels, [MANAGED_BY_LABEL]: MANAGED_BY })
    .filter(([name, value]) => seen.labels[name] !== value)
    .map(([name, value]) => changed(object, seen, ['metadata', 'labels', name], value, seen.labels[name]));
}

function annotationFindings(
  object: string,
  { path }: WantedSecret,
  seen: SeenSecret,
  source: SourcePath | undefined,
  dataDiffers: boolean,
): DriftFinding[] {
  const place = ['metadata', 'annotations', VAULT_PATH_ANNOTATION];
  const findings =
    seen.annotations[VAULT_PATH_ANNOTATION] === path
      ? []
      : [changed(object, seen, place, path, seen.annotations[VAULT_PATH_ANNOTATION])];
  const version = seen.annotations[VAULT_VERSION_ANNOTATION];
  if (!source || version === source.revision) return findings;
  const field = ['metadata', 'annotations', VAULT_VERSION_ANNOTATION];
  const edited = version === undefined || !isOursAlone(seen.managedFields, field, MANAGED_BY);
  if (edited) return [...findings, changed(object, seen, field, source.revision, version)];
  // Its values differ for the same reason, and that is said there.
  return dataDiffers
    ? findings
    : [
        ...findings,
        vaultFinding({
          kind: 'changed',
          area: 'secret',
          object,
          field: field.join('.'),
          was: source.revision,
          is: version,
          ...author(source),
          repair: 'secret',
          note: 'Vault has a newer version of the path, with the same values.',
        }),
      ];
}

function dataFindings(
  object: string,
  { keys }: WantedSecret,
  seen: SeenSecret,
  source: SourcePath | undefined,
  fingerprint: (value: string) => string,
): DriftFinding[] {
  return keys.flatMap((key) => {
    const [is, was] = [seen.values[key], source?.values[key]];
    const place = ['data', key];
    if (is === undefined)
      return [
        vaultFinding({
          kind: 'missing',
          area: 'secret',
          object,
          field: place.join('.'),
          repair: 'secret',
          note: 'It is made from Vault again, with the same value.',
        }),
      ];
    const ours = isOursAlone(seen.managedFields, place, MANAGED_BY);
    // Without Vault's value, that somebody else wrote the field is all there is to see.
    if (source === undefined) return ours ? [] : [changed(object, seen, place, undefined, fingerprint(is))];
    // Lost in Vault: said of the path.
    if (was === undefined || was === is) return [];
    const newer = ours && seen.annotations[VAULT_VERSION_ANNOTATION] !== source.revision;
    const who = newer
      ? { ...author(source), note: 'Vault has a newer version of the path. Pods get the value when they start anew.' }
      : {
          ...ownerOfField(seen.managedFields, place, MANAGED_BY),
          note: 'Fingerprints, not values. Pods that have started since use the other value until they start anew.',
        };
    return [
      vaultFinding({
        kind: 'changed',
        area: 'secret',
        object,
        field: place.join('.'),
        was: fingerprint(was),
        is: fingerprint(is),
        ...who,
        repair: 'secret',
      }),
    ];
  });
}

function extraKeys(object: string, { keys, namespace, name }: WantedSecret, seen: SeenSecret): DriftFinding[] {
  return Object.keys(seen.values)
    .filter((key) => !keys.includes(key))
    .map((key) =>
      vaultFinding({
        kind: 'extra',
        area: 'secret',
        object,
        field: `data.${key}`,
        ...ownerOfField(seen.managedFields, ['data', key], MANAGED_BY),
        note: `Its value would be gone for good, so it is not removed automatically: kubectl -n ${namespace} patch secret ${name} --type=merge -p '{"data":{"${key}":null}}'`,
      }),
    );
}

function changed(
  object: string,
  seen: SeenSecret,
  path: readonly string[],
  was: string | undefined,
  is: string | undefined,
): DriftFinding {
  const found = is === undefined ? {} : ownerOfField(seen.managedFields, path, MANAGED_BY);
  return vaultFinding({
    kind: is === undefined ? 'missing' : 'changed',
    area: 'secret',
    object,
    field: path.join('.'),
    ...(was === undefined ? {} : { was }),
    ...(is === undefined ? {} : { is }),
    ...found,
    repair: 'secret',
  });
}

function author({ createdAt, createdBy }: SourcePath): { by?: string; at?: string } {
  return {
    ...(createdBy === undefined ? {} : { by: createdBy }),
    ...(createdAt === undefined ? {} : { at: createdAt }),
  };
}
