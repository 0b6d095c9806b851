/** `ananta rebind`: from now on the environment belongs to the cluster that answers now. */
import { createSchedules, readBinding, rebindCluster } from '../clients/temporal/index.ts';
import { lockHolderOf } from '../clients/temporal/lock.ts';
import { clusterDifference } from '../contract/cluster.ts';
import { EXIT_CODES } from '../contract/failures.ts';
import { deployWorkflowId, driftScheduleId } from '../contract/names.ts';
import { confirmByName } from './confirm.ts';
import type { CliContext } from './context.ts';
import { bindingOf } from './deploy/binding.ts';
import { withEngine } from './drift/engine.ts';
import { type ExitCode, refused } from './failure.ts';
import { commandLine } from './format.ts';
import { printLines } from './terminal.ts';

export interface RebindOptions {
  env: string;
  confirm?: string;
  json?: true;
}

/** @throws CliError (refused) while an operation runs on one of the two clusters, or when the name does not match */
export function runRebind(context: CliContext, options: RebindOptions): Promise<ExitCode> {
  return withEngine(context, options.env, async ({ client, cluster, environment: { name }, signal }) => {
    const { config, terminal } = context;
    requireConfirmation(name, options.confirm, terminal.interactive);
    const before = await readBinding(client, name);
    const wanted = bindingOf(name, cluster, config.requestedBy);
    if (before && clusterDifference(before, cluster) === undefined)
      return answer(
        `"${name}" is bound to this cluster already (${cluster.server}, kube-system uid ${cluster.uid}).`,
        false,
      );
    for (const uid of new Set([cluster.uid, ...(before ? [before.uid] : [])])) {
      const holder = await lockHolderOf(client, deployWorkflowId(name, uid));
      if (holder)
        throw refused(
          `Something of "${name}" is running on the cluster with kube-system uid ${uid}: ${holder.operation}, started by ${holder.requestedBy} at ${holder.since}.`,
          commandLine('cancel', '--env', name),
        );
    }
    const to = `${cluster.server}, kube-system uid ${cluster.uid}${cluster.authority === undefined ? '' : `, authority ${cluster.authority}`}`;
    printLines(terminal.stderr, [
      `"${name}" ${before ? `was bound to ${before.server}, kube-system uid ${before.uid}${before.authority === undefined ? '' : `, authority ${before.authority}`}, by ${before.boundBy} at ${before.at}` : 'was bound to no cluster'}.`,
      `It will be bound to ${to}.`,
    ]);
    if (options.confirm === undefined) await confirmByName(name, 'From then on everything is deployed there.', signal);
    await rebindCluster(client, wanted);
    // It would compare the new cluster with what the one before was given.
    if (before && before.uid !== cluster.uid) await createSchedules(client).remove(driftScheduleId(name, before.uid));
    return answer(`"${name}" is bound to ${to}.`, true);

    function answer(text: string, changed: boolean): ExitCode {
      printLines(terminal.stdout, [
        options.json
          ? JSON.stringify({
              environment: name,
              changed,
              binding: changed ? wanted : before,
              ...(changed && before ? { before } : {}),
            })
          : text,
      ]);
      return EXIT_CODES.done;
    }
  });
}

/** @throws CliError (refused) for another name, or without one where nobody can be asked */
function requireConfirmation(name: string, confirm: string | undefined, interactive: boolean): void {
  const again = commandLine('rebind', '--env', name, '--confirm', name);
  if (confirm !== undefined && confirm !== name)
    throw refused(`--confirm ${confirm} does not name the environment "${name}".`, again);
  if (confirm === undefined && !interactive)
    throw refused(
      `Binding "${name}" to another cluster has to be confirmed, and there is no terminal to ask on.`,
      `${again}   (after you have made sure)`,
    );
}
