/** What somebody has looked at is what is done: a plan that is no longer the one that was shown is refused. */
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { digestOf } from '../../plan/digest.ts';
import { isNoop } from '../../plan/progress.ts';
import type { Survey } from '../destroy/survey.ts';

/**
 * @param expected digest of what was shown; absent: nothing was
 * @param actual where more than the plan was shown: a digest over all of it
 * @throws DeployError PlanOutdated, before anything was touched
 */
export function assertShown(expected: string | undefined, plan: OperationPlan, actual = plan.digest): void {
  if (expected === undefined || actual === expected) return;
  const changes = plan.services
    .filter(({ action }) => !isNoop(action))
    .map(({ name, action }) => `${name} (${action})`);
  const now = changes.length === 0 ? 'which changes nothing' : `on ${changes.join(', ')}`;
  const [approved, advice] =
    plan.operation === 'deploy'
      ? ['The plan that was approved', 'make a new plan and look at it']
      : [`The ${plan.operation} that was shown`, 'run the command again and look at what it shows'];
  throw new DeployError(
    FAILURES.planOutdated,
    `${approved} is ${expected}, but cluster, catalog or values have changed since: what would be done now is plan ${actual}, ${now}. Nothing was changed; ${advice}.`,
  );
}

/** Over the releases that go, the namespaces and, where data go as well, the volumes. */
export function destructionDigest(
  { digest }: Pick<OperationPlan, 'digest'>,
  { namespaces }: Pick<Survey, 'namespaces'>,
  deleteData: boolean,
): string {
  const volumes = namespaces.flatMap(({ objects }) =>
    objects
      .filter(({ ownership }) => ownership === 'volume')
      .map(({ object: { metadata } }) => `${metadata.namespace ?? ''}/${metadata.name} ${metadata.uid}`),
  );
  return digestOf([digest, namespaces.map(({ name }) => name).sort(), deleteData ? volumes.sort() : []]);
}
