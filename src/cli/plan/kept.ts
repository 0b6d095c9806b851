/** `--plan FILE` of every operation but a deployment: what somebody has looked at is done, and nothing else. */
import type { Operation, OperationPlan } from '../../contract/operations/plan.ts';
import { changesSince, type PlanFile } from '../../plan/diff/file.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { readPlanFile } from './file.ts';

const COMMANDS: Record<Operation, string> = {
  deploy: 'deploy',
  rollback: 'rollback',
  repair: 'drift run --repair',
  destroy: 'destroy',
  adopt: 'adopt',
  rotate: 'rotate',
};

/**
 * @param beside options that say what the file says already
 * @throws CliError (refused) when it is no plan of this operation and environment, or options stand beside it
 */
export async function keptPlan(
  path: string,
  operation: Operation,
  environment: string,
  beside: readonly string[] = [],
): Promise<PlanFile> {
  if (beside.length > 0)
    throw refused(
      `${beside.join(' and ')} cannot be given together with --plan: the plan says it.`,
      commandLine('plan', '--env', environment, '--operation', operation, ...beside, '--out', path),
    );
  const file = await readPlanFile(path, environment);
  const of = file.operation ?? 'deploy';
  if (of !== operation)
    throw refused(
      `The plan ${path} is that of a ${of}, not of a ${operation}.`,
      `${commandLine(COMMANDS[of], '--env', environment, '--plan', path)}   (carries it out)`,
    );
  return file;
}

/**
 * Before anything is started; the workflow compares once more.
 * @param now what would be done now, and the digest that the operation is bound to
 * @throws CliError (refused) that names what has changed
 */
export function requireSamePlan(
  path: string,
  file: PlanFile,
  clusterUid: string,
  now: { digest: string; plan?: OperationPlan },
): void {
  const { environment, operation = 'deploy', digest, createdAt, requestedBy } = file;
  const of = file.service === undefined ? [] : ['--only', file.service];
  const again = `${commandLine('plan', '--env', environment, '--operation', operation, ...of, '--out', path)}   (a new plan to look at)`;
  if (file.clusterUid !== undefined && file.clusterUid !== clusterUid)
    throw refused(
      `The plan ${path} was made for the cluster with kube-system uid ${file.clusterUid}, but "${environment}" now is ${clusterUid}.`,
      again,
    );
  if (now.digest === digest) return;
  const reasons = now.plan === undefined ? [] : changesSince(file, now.plan.services);
  throw refused(
    [
      `The plan ${path} (${digest}, made ${createdAt} by ${requestedBy}) does not fit any more; what would be done now is ${now.digest}:`,
      ...(reasons.length === 0 ? ['what the platform holds beside its releases has changed'] : reasons).map(
        (line) => `  ${line}`,
      ),
    ].join('\n'),
    again,
  );
}
