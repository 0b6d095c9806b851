/** What becomes of one object: live state, what a dry run of the API server made of it, and what it said against it. */
import type { Tree } from '../../environment/files/merge.ts';
import { diffFields, diffLeaves } from './fields.ts';
import { withoutNoise } from './noise.ts';
import { withoutSecrets } from './redact.ts';
import type { FieldChange, ObjectChange } from './types.ts';

/** Fields of a StatefulSet that can be changed are named by the API server itself; these where it names none. */
const UPDATABLE = /'([^']+)'/g;

/** @returns fields that differ, without noise and secret values */
export function objectFields(before: Tree, after: Tree): FieldChange[] {
  return diffFields(withoutSecrets(withoutNoise(before)), withoutSecrets(withoutNoise(after)));
}

/**
 * The same down to single values, for rules. Definitions hold thousands, which decide nothing.
 * @param before absent: it is made anew
 */
export function objectLeaves(before: Tree | undefined, after: Tree): FieldChange[] {
  if (after['kind'] === 'CustomResourceDefinition') return [];
  return diffLeaves(before && withoutSecrets(withoutNoise(before)), withoutSecrets(withoutNoise(after)));
}

export interface Cause {
  field: string;
  message: string;
}

/**
 * Which fields stand in the way of a change in place.
 * @param causes of the API server's refusal
 * @param fields that would change
 * @returns undefined when the refusal is about something else
 */
export function immutableFields(causes: readonly Cause[], fields: readonly FieldChange[]): string[] | undefined {
  const found = causes
    .filter(({ message }) =>
      /immutable|updates to .* for fields other than|may not change once set|can not be changed/.test(message),
    )
    .flatMap(({ field, message }) => {
      const updatable = /fields other than/.test(message)
        ? [...message.matchAll(UPDATABLE)].map(([, name]) => `${field}.${name ?? ''}`)
        : [];
      const within = fields
        .map(({ path }) => path)
        .filter((path) => isWithin(path, field) && !updatable.some((allowed) => isWithin(path, allowed)));
      return within.length > 0 ? within : [field];
    });
  return found.length === 0 ? undefined : [...new Set(found)];
}

/**
 * A Job, or what belongs to it, carries a digest in its name: where one goes and one comes, the new one replaces the
 * old.
 * @param gone kept in the order given; each is used once
 */
export function pairRenamed<
  A extends { kind: string; name: string; namespace?: string },
  B extends { kind: string; name: string; namespace?: string },
>(gone: readonly A[], made: readonly B[]): { before: A; after: B }[] {
  const left = [...gone];
  return made.flatMap((after) => {
    const index = left.findIndex(
      (before) =>
        before.kind === after.kind &&
        before.namespace === after.namespace &&
        stem(before.name) !== before.name &&
        stem(before.name) === stem(after.name),
    );
    const [before] = index < 0 ? [] : left.splice(index, 1);
    return before === undefined ? [] : [{ before, after }];
  });
}

/** Without the names that differ by design. */
export function replacementFields(before: Tree, after: Tree): FieldChange[] {
  return objectFields(before, after).filter(({ path }) => path !== 'metadata.name');
}

/** For people: what a change means that needs another object. */
export function replacedBy(kind: string): Pick<ObjectChange, 'immutable' | 'note'> {
  if (kind === 'Job')
    return { immutable: ['spec.template'], note: 'what a Job runs cannot be changed: a new Job takes its place' };
  return {
    immutable: kind === 'ConfigMap' || kind === 'Secret' ? ['data'] : ['metadata.name'],
    note: 'its content cannot be changed: a new one takes its place',
  };
}

function stem(name: string): string {
  return name.replace(/-[0-9a-f]{8}(?=-|$)/, '');
}

/** Whether a path is a field or lies below it; `spec.x[0]` of a refusal means all of `spec.x`. */
function isWithin(path: string, field: string): boolean {
  const base = field.replace(/\[\d+\]$/, '');
  return path === base || path.startsWith(`${base}.`) || path.startsWith(`${base}[`);
}
