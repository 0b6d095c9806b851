/** What is gone from KV: paths, keys, versions. Values are never seen here, only what is known of them. */
import type { SecretPath } from '../../../catalog/schema.ts';
import type { DriftFinding } from '../../../contract/drift.ts';
import { vaultFinding } from './finding.ts';

export interface SeenPath {
  declared: Pick<SecretPath, 'path' | 'keys'>;
  /** Keys of the newest version; undefined when there is none to read. */
  keys: readonly string[] | undefined;
  /** Keys that hold no text, with what they hold: `a number`. */
  noText?: ReadonlyMap<string, string>;
  /** The newest version, readable or not; undefined when Vault knows none. */
  newest:
    | {
        version: number;
        createdAt: string;
        createdBy?: string | undefined;
        deletedAt?: string | undefined;
        deletedBy?: string | undefined;
        destroyed: boolean;
      }
    | undefined;
  /** After which Vault deletes versions by itself; `0s`: never. */
  deleteAfter: string;
  /** Key to where its value still stands. */
  restorable: ReadonlyMap<string, string>;
  /** Keys whose value stands nowhere any more. */
  lost: readonly string[];
}

const LOST =
  'No older version and no Kubernetes Secret holds the value, and servers may still use it, so none is made up: restore it from a backup, or set it with `ananta secrets set`.';

export function pathFindings({
  declared,
  keys,
  noText = new Map(),
  newest,
  deleteAfter,
  restorable,
  lost,
}: SeenPath): DriftFinding[] {
  const object = `Vault secret ${declared.path}`;
  const findings: DriftFinding[] = [];
  if (deleteAfter !== '0s') {
    findings.push(
      vaultFinding({
        kind: 'changed',
        area: 'vault',
        object,
        field: 'delete_version_after',
        was: '0s',
        is: deleteAfter,
        note: `Vault deletes each new version after that time. The deployer may not change it: vault kv metadata put -mount=secret -delete-version-after=0s ${declared.path}`,
      }),
    );
  }
  if (keys === undefined) return [...findings, gone(object, { newest, restorable, lost })];
  return [
    ...findings,
    ...[...noText].map(([name, type]) =>
      vaultFinding({
        kind: 'changed',
        area: 'vault',
        object,
        field: name,
        was: 'text',
        is: type,
        ...who(newest?.createdBy, newest?.createdAt),
        note: `Put it right with: vault kv patch secret/${declared.path} ${name}=-   (the value on standard input)`,
      }),
    ),
    ...declared.keys
      .filter(({ name }) => !keys.includes(name) && !noText.has(name))
      .map(({ name }) =>
        vaultFinding({
          kind: 'missing',
          area: 'vault',
          object,
          field: name,
          is: `not in version ${newest?.version ?? '?'}`,
          ...who(newest?.createdBy, newest?.createdAt),
          ...(lost.length > 0
            ? { note: lost.includes(name) ? LOST : `Left as it is while ${lost.join(', ')} of the same path is lost.` }
            : { repair: 'vault' as const, note: sourceNote(restorable.get(name)) }),
        }),
      ),
  ];
}

function gone(
  object: string,
  { newest, restorable, lost }: Pick<SeenPath, 'newest' | 'restorable' | 'lost'>,
): DriftFinding {
  const deleted = newest?.deletedAt !== undefined;
  const common = {
    kind: 'missing',
    area: 'vault',
    object,
    ...(deleted ? who(newest.deletedBy, newest.deletedAt) : {}),
  } as const;
  if (newest && deleted && !newest.destroyed) {
    return vaultFinding({
      ...common,
      is: `version ${newest.version} was deleted, and can come back`,
      repair: 'vault',
      note: 'The deletion is undone: the values are the same as before.',
    });
  }
  const is = newest?.destroyed ? `version ${newest.version} was destroyed` : 'no version';
  if (lost.length > 0) return vaultFinding({ ...common, is, note: `Lost: ${lost.join(', ')}. ${LOST}` });
  return vaultFinding({
    ...common,
    is,
    repair: 'vault',
    note: sourceNote([...new Set(restorable.values())].sort().join(', ') || undefined),
  });
}

function sourceNote(from: string | undefined): string {
  return from === undefined
    ? 'It is made from what else the catalog says.'
    : `The same value still stands in ${from} and is written back.`;
}

function who(by: string | undefined, at: string | undefined): { by?: string; at?: string } {
  return { ...(by === undefined ? {} : { by }), ...(at === undefined ? {} : { at }) };
}
