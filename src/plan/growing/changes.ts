/** What a comparison says of a StatefulSet that is replaced for its larger claims. Pure. */
import type { PlannedStep } from '../../contract/operations/plan.ts';
import type { ObjectChange } from '../diff/types.ts';

const SIZES = /^spec\.volumeClaimTemplates\b/;

/** Its size stops nothing: it goes without its pods first. Whatever else cannot be changed does. */
export function withReplacedSets(objects: ObjectChange[], { grow }: Pick<PlannedStep, 'grow'>): ObjectChange[] {
  if (grow === undefined || grow.sets.length === 0) return objects;
  return objects.map((change) => {
    const { blocked, ...rest } = change;
    const grows =
      change.kind === 'StatefulSet' &&
      change.action === 'replace' &&
      grow.sets.some(({ name }) => name === change.name) &&
      (change.immutable ?? []).every((field) => SIZES.test(field));
    return grows && blocked !== undefined
      ? { ...rest, note: 'its claims grow first; it is replaced without its pods, and the next one adopts them' }
      : change;
  });
}
