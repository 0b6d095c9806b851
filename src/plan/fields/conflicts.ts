/** Fields that a release applies and another manager claims with another value: whose they are, decided one by one. */
import { type LeftField, markOf } from './left.ts';
import { writerOf } from './writers.ts';

export interface Conflict {
  manager: string;
  /** Absent: of the object itself. */
  subresource?: string;
  /** As the API server writes it: `.spec.replicas`. */
  field: string;
}

/** What the API server says against an apply. @param causes of its 409 */
export function conflictsOf(causes: readonly { field: string; message: string }[]): Conflict[] {
  return causes.flatMap(({ field, message }): Conflict[] => {
    const manager = /conflict with "([^"]+)"/.exec(message)?.[1];
    const subresource = /with subresource "([^"]+)"/.exec(message)?.[1];
    return manager === undefined ? [] : [{ manager, field, ...(subresource === undefined ? {} : { subresource }) }];
  });
}

export interface Decided {
  /** Ours: set again, and no longer claimed by anybody else. */
  ours: Conflict[];
  /** Of a controller: nothing is taken from it by force. */
  theirs: Conflict[];
}

/**
 * @param formerly marks of fields that the newest revision has left to others: nobody else decides them any more
 * @param applier in whose name somebody else's Helm applied the release before it was taken over
 */
export function decideConflicts(
  conflicts: readonly Conflict[],
  object: { kind: string; namespace?: string | undefined; name: string },
  formerly: readonly string[] = [],
  applier?: string,
): Decided {
  const isOurs = ({ manager, subresource, field }: Conflict): boolean => {
    if (manager === applier && subresource === undefined) return true;
    // What the autoscaler that is gone has set: it writes as a part of Kubernetes.
    const writer = writerOf({ manager, operation: 'Update', subresource });
    if (writer === 'hand' || (writer === 'system' && field === '.spec.replicas')) return true;
    return marksOfField(object, field).some((mark) => formerly.includes(mark));
  };
  return { ours: conflicts.filter(isOurs), theirs: conflicts.filter((conflict) => !isOurs(conflict)) };
}

/** With and without its namespace, as a lease may say it. */
function marksOfField(
  { kind, namespace, name }: Pick<LeftField, 'kind' | 'namespace' | 'name'>,
  field: string,
): string[] {
  const path = field.replace(/^\./, '').replaceAll('"', '');
  return [namespace, undefined].map((where) => markOf({ kind, namespace: where, name, field: path, owner: '' }));
}

/** `spec.replicas of Deployment shop/api, changed by kubectl`: one for each field. */
export function conflictLines(conflicts: readonly Conflict[], what: string): string[] {
  return conflicts.map(({ manager, field }) => `${field.replace(/^\./, '')} of ${what}, changed by ${manager}`);
}

/** What to do about fields of a controller. */
export function refusalText(conflicts: readonly Conflict[], what: string): string {
  return (
    `${conflictLines(conflicts, what).join('; ')}: nothing is taken from a controller by force. ` +
    'Lease the field to it in the environment’s file (fields), or end what writes it'
  );
}
