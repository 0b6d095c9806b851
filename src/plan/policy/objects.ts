/** What a plan changes of single objects and their fields, as rules are asked about it. Pure. */
import type { Operation } from '../../contract/operations/plan.ts';
import type { Tree } from '../../environment/files/merge.ts';
import { type PolicySubject, readsObjects } from '../../environment/fields/formats/expressions.ts';
import type { ObjectChange, ReleaseChange } from '../diff/types.ts';

/** Several times what a first deployment of the Ananta Platform makes; 100 000 cost a rule a sixth of a second. */
export const MOST_FIELDS = 100_000;

/** Objects are known where a checkout is applied. */
export function rulesSeeObjects(
  rules: readonly { for: PolicySubject; rule: string; operations: readonly Operation[] }[],
  operation: Operation,
): boolean {
  return operation === 'deploy' && rules.some((rule) => rule.operations.includes(operation) && readsObjects(rule));
}

/**
 * @param changes of each release, with its service
 * @returns objects with all fields that change, or why they are not known: one line
 */
export function objectFacts(changes: readonly { service: string; release: ReleaseChange }[]): Tree[] | string {
  const unknown = changes.find(({ release }) => release.note !== undefined);
  if (unknown !== undefined) return `${unknown.release.name}: ${unknown.release.note ?? ''}`;
  const objects = changes.flatMap(({ service, release }) =>
    release.objects.map((object) => objectFact(object, service, release.name)),
  );
  const fields = objects.reduce((sum, object) => sum + object.fields.length, 0);
  return fields > MOST_FIELDS ? `the plan changes ${fields} fields, and rules are asked of ${MOST_FIELDS}` : objects;
}

function objectFact(
  { action, kind, namespace = '', name, fields, leaves = fields, blocked = '' }: ObjectChange,
  service: string,
  release: string,
): Tree & { fields: Tree[] } {
  return {
    ...{ action, kind, namespace, name, service, release, blocked },
    fields: leaves.map(({ path, from = '', to = '' }) => ({ path, before: from, after: to })),
  };
}
