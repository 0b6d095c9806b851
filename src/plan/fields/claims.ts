/**
 * Claims to fields in `metadata.managedFields`, taken off one by one: who claims a field no longer can be in conflict
 * about it.
 */
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { partOf } from './managed.ts';
import { type Path, valueAtPath } from './path.ts';

/** As the API server writes paths in conflicts: `.spec.containers[name="app"].image`. */
export function claimText(keys: readonly string[]): string {
  return keys.map(partText).join('');
}

function partText(key: string): string {
  if (key.startsWith('f:')) return `.${key.slice(2)}`;
  if (key.startsWith('i:')) return `[${key.slice(2)}]`;
  if (key.startsWith('v:')) return `[=${key.slice(2)}]`;
  const pairs = Object.entries(JSON.parse(key.slice(2)) as Record<string, unknown>);
  return `[${pairs.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
}

export interface ClaimPatch {
  op: 'replace' | 'remove';
  /** JSON pointer to the entry of `managedFields`. */
  path: string;
  value?: unknown;
}

export interface Claim {
  manager: string;
  operation: string;
  path: Path;
  /** As the API server writes it. */
  text: string;
}

/**
 * @param givenUp which claims are taken off
 * @returns operations for a JSON patch, the last entries first; empty where nobody claims such a field
 */
export function withoutClaims(object: unknown, givenUp: (claim: Claim) => boolean): ClaimPatch[] {
  const entries = valueAtPath(object, ['metadata', 'managedFields']);
  if (!Array.isArray(entries)) return [];
  return entries
    .flatMap((entry: unknown, at): ClaimPatch[] => {
      if (!isTree(entry) || !isTree(entry['fieldsV1'])) return [];
      const by = { manager: text(entry['manager']), operation: text(entry['operation']) };
      const kept = without(entry['fieldsV1'], [], (claim) => givenUp({ ...by, ...claim }));
      const path = `/metadata/managedFields/${at}`;
      if (kept === entry['fieldsV1']) return [];
      return Object.keys(kept).length === 0
        ? [{ op: 'remove', path }]
        : [{ op: 'replace', path: `${path}/fieldsV1`, value: kept }];
    })
    .reverse();
}

/** The same tree where nothing of it is given up. */
function without(
  fields: Tree,
  keys: readonly string[],
  givenUp: (claim: Pick<Claim, 'path' | 'text'>) => boolean,
): Tree {
  let changed = false;
  const kept: Tree = {};
  for (const [key, below] of Object.entries(fields)) {
    if (key === '.') {
      kept[key] = below;
      continue;
    }
    const here = [...keys, key];
    if (givenUp({ path: here.flatMap((part) => partOf(part) ?? []), text: claimText(here) })) {
      changed = true;
      continue;
    }
    const rest = isTree(below) ? without(below, here, givenUp) : below;
    if (rest !== below) changed = true;
    // What held nothing else is given up with it.
    if (isTree(rest) && rest !== below && Object.keys(rest).length === 0) continue;
    kept[key] = rest;
  }
  return changed ? kept : fields;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
