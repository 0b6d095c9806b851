/** What `deploy` was asked for, with everything checked that needs no cluster. */
import type { Selection } from '../../contract/operations/deploy.ts';
import type { Environment } from '../../environment/schema.ts';
import { type ApprovedPlan, approvedPlan } from '../plan/approved.ts';
import { checkName, confirmByName } from '../shared/confirm.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { selectionFlags, selectionOf } from '../shared/selection-options.ts';
import type { DeployOptions } from './options.ts';
import { checkInputs, type Prepared } from './preflight.ts';
import type { Session } from './session.ts';

export interface DeployRequest extends Pick<DeployOptions, 'timeout' | 'ifRunning' | 'overrideFreeze'> {
  /** Tag or digest per service. */
  imageTags: Record<string, string>;
  /** Absent: everything. */
  selection: Selection | undefined;
  /** Exactly this plan is carried out. */
  approved: ApprovedPlan | undefined;
  detach: boolean;
  /** Name of the environment, where it is protected or was given. */
  confirm: string | undefined;
  /** Options that say what to deploy, for whoever is watched instead. */
  given: string[];
}

/** @throws CliError (refused), ConfigurationError */
export async function checkedRequest(
  { context, interrupted }: Session,
  prepared: Prepared,
  options: DeployOptions,
): Promise<DeployRequest> {
  if (options.follow !== undefined && options.detach)
    throw refused('--detach leaves the deployment alone, so there is nothing to --follow: give one of them.');
  const approved = options.plan === undefined ? undefined : await approvedPlan(options.plan, options, prepared);
  const selection = selectionOf(options, prepared.catalog);
  const imageTags = approved?.imageTags ?? options.image ?? {};
  await checkInputs(prepared, imageTags, context);
  const { name, protected: isProtected } = prepared.environment;
  requireConfirmation(prepared.environment, options.confirm, context.terminal.interactive);
  if (isProtected && options.confirm === undefined)
    await confirmByName(name, `"${name}" is a protected environment.`, interrupted);
  return {
    imageTags,
    selection: approved ? approved.selection : selection,
    approved,
    // Watching a deployment of another plan is not what was asked for.
    ifRunning: approved !== undefined && options.ifRunning === 'attach' ? 'refuse' : options.ifRunning,
    detach: options.detach === true,
    confirm: isProtected ? name : options.confirm,
    given: [
      ...(Object.keys(options.image ?? {}).length > 0 ? ['--image'] : []),
      ...(options.timeout === undefined ? [] : ['--timeout']),
      ...(options.overrideFreeze === undefined ? [] : ['--override-freeze']),
      ...selectionFlags(options),
    ],
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    ...(options.overrideFreeze === undefined ? {} : { overrideFreeze: options.overrideFreeze }),
  };
}

/**
 * @throws CliError (refused) when another environment is named, or a protected one is not named where nobody can be
 * asked
 */
export function requireConfirmation(
  { name, protected: isProtected }: Pick<Environment, 'name' | 'protected'>,
  confirm: string | undefined,
  interactive: boolean,
): void {
  checkName({
    name,
    confirm,
    interactive,
    needed: isProtected,
    what: `"${name}" is a protected environment: deploying to it`,
    again: commandLine('deploy', '--env', name, '--confirm', name),
    after: `after you have read the plan: ${commandLine('plan', '--env', name)}`,
  });
}
