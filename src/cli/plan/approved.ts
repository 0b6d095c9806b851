/** `deploy --plan FILE`: what somebody has looked at is carried out, and nothing else. */
import type { Selection } from '../../contract/operations/deploy.ts';
import type { Connections } from '../../environment/connections.ts';
import { changesSince, type PlanFile } from '../../plan/diff/file.ts';
import { checkImages } from '../shared/arguments.ts';
import { withClients } from '../shared/clients.ts';
import type { Prepared } from '../deploy/preflight.ts';
import type { Session } from '../deploy/session.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { type SelectionOptions, selectionFlags } from '../shared/selection-options.ts';
import { deployArgs } from './args.ts';
import { keptPlan } from './kept.ts';

export interface ApprovedPlan extends Omit<PlanFile, 'selection'> {
  path: string;
  selection?: Selection;
}

/**
 * Reads the file; what it says stands in place of the options.
 * @throws CliError (refused) when it is no plan of this environment, or options say something beside it
 */
export async function approvedPlan(
  path: string,
  options: SelectionOptions & { env: string; image?: Record<string, string> },
  { catalog }: Prepared,
): Promise<ApprovedPlan> {
  const beside = [...(options.image === undefined ? [] : ['--image']), ...selectionFlags(options)];
  if (beside.length > 0)
    throw refused(
      `${beside.join(' and ')} cannot be given together with --plan: the plan says which services and which tags.`,
      `${commandLine('plan', '--env', options.env, '--out', path)} with ${beside.join(' and ')}, then deploy --plan ${path}`,
    );
  const { selection, ...file } = await keptPlan(path, 'deploy', options.env);
  checkImages(
    file.imageTags,
    catalog.services.map(({ name }) => name),
  );
  return { ...file, path, ...(selection === undefined ? {} : { selection: withoutAbsent(selection) }) };
}

/**
 * Plans anew and compares. @param again command that makes a new plan. The workflow does so once more at its start.
 * @throws CliError (refused) that names what has changed, service by service
 */
export async function checkApprovedPlan(
  { context, environment, interrupted }: Pick<Session, 'context' | 'environment' | 'interrupted'>,
  { inputs }: Prepared,
  connections: Connections,
  approved: ApprovedPlan,
  clusterUid: string,
  again = commandLine(
    'plan',
    '--env',
    environment.name,
    ...deployArgs(approved.imageTags, optionsOf(approved.selection)),
    '--out',
    approved.path,
  ),
): Promise<void> {
  if (approved.clusterUid !== undefined && approved.clusterUid !== clusterUid) {
    throw refused(
      `The plan ${approved.path} was made for the cluster with kube-system uid ${approved.clusterUid}, but "${environment.name}" now is ${clusterUid}.`,
      again,
    );
  }
  const { planFor } = await import('../../effects/plan/deploy.ts');
  const plan = await withClients(context, environment, connections, (clients) =>
    planFor(clients, environment, approved.imageTags, interrupted, { selection: approved.selection, inputs }),
  );
  if (plan.digest === approved.digest) return;
  const reasons = changesSince(approved, plan.services);
  throw refused(
    [
      `The plan ${approved.path} (${approved.digest}, made ${approved.createdAt} by ${approved.requestedBy}) does not fit any more; what would be done now is ${plan.digest}:`,
      ...(reasons.length === 0 ? ['the services or their order in the catalog are others'] : reasons).map(
        (line) => `  ${line}`,
      ),
    ].join('\n'),
    `${again}   (a new plan to look at)`,
  );
}

function withoutAbsent(selection: NonNullable<PlanFile['selection']>): Selection {
  return Object.fromEntries(Object.entries(selection).filter(([, value]) => value !== undefined));
}

function optionsOf({ only, phases, from, skip, withDependencies, rerun }: Selection = {}): SelectionOptions {
  return {
    ...(only === undefined ? {} : { only }),
    ...(phases === undefined ? {} : { phase: phases }),
    ...(from === undefined ? {} : { from }),
    ...(skip === undefined ? {} : { skip }),
    ...(withDependencies ? { withDependencies: true as const } : {}),
    ...(rerun === undefined ? {} : { rerun }),
  };
}
