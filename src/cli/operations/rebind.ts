/** `ananta rebind`: from now on the environment belongs to the cluster that answers now, and the cluster to it. */
import type { Client } from '@temporalio/client';
import { createOwner, replaceOwner } from '../../effects/owner/record.ts';
import { KubernetesError } from '../../clients/kubernetes/index.ts';
import { createSchedules, readBinding, rebindCluster } from '../../clients/temporal/index.ts';
import { lockHolderOf } from '../../clients/temporal/lock.ts';
import { clusterDifference } from '../../contract/cluster.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { backupScheduleId, driftScheduleId, operationWorkflowId } from '../../contract/names.ts';
import { platformName } from '../../environment/platform-folder.ts';
import { describeOwner, type ReboundRecord, rebound } from '../../plan/ownership/ownership.ts';
import { checkName, confirmByName } from '../shared/confirm.ts';
import type { CliContext } from '../shared/context.ts';
import { bindingOf, takeOverLines } from '../deploy/binding.ts';
import { onCluster } from '../deploy/cluster.ts';
import { type Engine, withEngine } from '../drift/engine.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';

export interface RebindOptions {
  env: string;
  takeOver?: true;
  liftProtection?: true;
  confirm?: string;
  json?: true;
}

/** @throws CliError (refused) while an operation runs on one of the two clusters, or when the name does not match */
export function runRebind(context: CliContext, options: RebindOptions): Promise<ExitCode> {
  return withEngine(
    context,
    options.env,
    async (engine) => {
      const { client, cluster, environment, signal } = engine;
      const { name } = environment;
      const { config, terminal } = context;
      requireConfirmation(options, terminal.interactive);
      const before = await readBinding(client, name);
      const wanted = bindingOf(name, cluster, config.requestedBy);
      const record = recordFor(engine, options, config.requestedBy);
      const boundElsewhere = before === undefined || clusterDifference(before, cluster) !== undefined;
      if (!boundElsewhere && !record.changed) {
        return answer(
          `"${name}" is bound to this cluster already (${cluster.server}, kube-system uid ${cluster.uid}).`,
          false,
        );
      }
      await requireNobodyAtWork(client, [
        ...[cluster.uid, ...(before ? [before.uid] : [])].map((uid) => ({ environment: name, uid })),
        ...record.from.map((environment) => ({ environment, uid: cluster.uid })),
      ]);
      const to = `${cluster.server}, kube-system uid ${cluster.uid}${cluster.authority === undefined ? '' : `, authority ${cluster.authority}`}`;
      printLines(terminal.stderr, [
        `"${name}" ${before ? `was bound to ${before.server}, kube-system uid ${before.uid}${before.authority === undefined ? '' : `, authority ${before.authority}`}, by ${before.boundBy} at ${before.at}` : 'was bound to no cluster'}.`,
        ...(boundElsewhere ? [`It will be bound to ${to}.`] : []),
        ...describeRecord(engine, record),
      ]);
      if (options.confirm === undefined) await confirmByName(name, warningOf(record), signal);
      if (record.changed) await writeRecord(engine, record);
      if (boundElsewhere) await rebindCluster(client, wanted);
      // The former schedules would compare this cluster with what was deployed to the other one.
      const schedules = createSchedules(client);
      for (const idOf of [driftScheduleId, backupScheduleId]) {
        if (before && before.uid !== cluster.uid) await schedules.remove(idOf(name, before.uid));
        for (const from of record.from) await schedules.remove(idOf(from, cluster.uid));
      }
      return answer(
        `"${name}" is bound to ${to}.${record.lifted ? ' It is no longer protected.' : ''}`,
        true,
        record.owner,
      );

      function answer(text: string, changed: boolean, owner = cluster.record?.owner): ExitCode {
        printLines(terminal.stdout, [
          options.json
            ? JSON.stringify({
                environment: name,
                changed,
                binding: changed && boundElsewhere ? wanted : before,
                ...(changed && boundElsewhere && before ? { before } : {}),
                ...(owner ? { owner } : {}),
                ...(changed && cluster.record?.owner ? { ownerBefore: cluster.record.owner } : {}),
              })
            : text,
        ]);
        return EXIT_CODES.done;
      }
    },
    'rebind',
  );
}

/**
 * @throws CliError (refused) where the cluster is another's and taking it over was not asked for, or protection would
 * come back at once
 */
function recordFor({ cluster, environment }: Engine, options: RebindOptions, boundBy: string): ReboundRecord {
  const { name, protected: isProtected } = environment;
  const liftProtection = options.liftProtection === true;
  if (liftProtection && isProtected) {
    throw refused(
      `environments/${name}.yaml says "protected: true": the next operation would protect it again.`,
      `Let the file say "protected: false", have that reviewed, then run the same command again.`,
    );
  }
  const { uid, authority } = cluster;
  const record = rebound(cluster, {
    environment: name,
    platform: platformName(environment),
    cluster: { uid, ...(authority === undefined ? {} : { authority }) },
    protected: isProtected,
    boundBy,
    at: new Date().toISOString(),
    liftProtection,
  });
  if (record.why === undefined || options.takeOver) return record;
  throw refused(`${cluster.server}: ${record.why}`, ...takeOverLines(name, record.from[0]));
}

/** @throws CliError (refused) while anything of them runs, as far as this engine knows */
async function requireNobodyAtWork(
  client: Client,
  places: readonly { environment: string; uid: string }[],
): Promise<void> {
  const ids = new Map(places.map((place) => [operationWorkflowId(place.environment, place.uid), place]));
  for (const [id, { environment, uid }] of ids) {
    const holder = await lockHolderOf(client, id);
    if (holder)
      throw refused(
        `Something of "${environment}" is running on the cluster with kube-system uid ${uid}: ${holder.operation}, started by ${holder.requestedBy} at ${holder.since}.`,
        commandLine('cancel', '--env', environment),
      );
  }
}

/** On top of what was read: whoever was faster is not written over. */
async function writeRecord({ cluster, environment, connections }: Engine, { owner }: ReboundRecord): Promise<void> {
  const { record } = cluster;
  const made = await onCluster(environment, connections, async (kubernetes) => {
    if (!record) return createOwner(kubernetes, owner);
    try {
      await replaceOwner(kubernetes, owner, record.resourceVersion);
      return true;
    } catch (error) {
      if (error instanceof KubernetesError && [404, 409].includes(error.status)) return false;
      throw error;
    }
  });
  if (!made) {
    throw refused(
      'Somebody else has changed the owner record of this cluster in this very moment.',
      `${commandLine('rebind', '--env', environment.name)}   (says whose it is now)`,
    );
  }
}

function describeRecord({ cluster }: Engine, { owner, why, from, lifted, changed }: ReboundRecord): string[] {
  const known = cluster.record?.owner;
  return [
    ...(why === undefined ? [] : [`${cluster.server}: ${why.replace(/ Nothing was changed\.$/, '')}`]),
    ...(known && changed ? [`Its owner record names ${describeOwner(known)}.`] : []),
    ...(from.length > 0
      ? [
          `It will be taken over from ${from.map((one) => `"${one}"`).join(', ')}, with all that is on it: releases, volumes, Vault.`,
        ]
      : []),
    ...(owner.protected && why !== undefined ? [`It stays protected; --lift-protection lifts that.`] : []),
    ...(lifted
      ? ['It will not be protected any more: destroying it is possible then, and nothing has to be confirmed.']
      : []),
  ];
}

function warningOf({ why, lifted }: ReboundRecord): string {
  if (why !== undefined) return 'Whoever deployed to it is refused from then on.';
  return lifted ? 'Its protection is lifted.' : 'From then on everything is deployed there.';
}

/** @throws CliError (refused) for another name, or without one where nobody can be asked */
function requireConfirmation(options: RebindOptions, interactive: boolean): void {
  const { env: name, confirm, takeOver, liftProtection } = options;
  const flags = [...(takeOver ? ['--take-over'] : []), ...(liftProtection ? ['--lift-protection'] : [])];
  checkName({
    name,
    confirm,
    interactive,
    needed: true,
    what: `Binding "${name}" to another cluster`,
    again: commandLine('rebind', '--env', name, ...flags, '--confirm', name),
  });
}
