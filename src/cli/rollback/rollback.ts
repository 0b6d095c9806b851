/** Checks that the way back is open, shows what it will do, asks where it must, then starts it and watches. */
import { readCheckpoints } from '../../effects/checkpoint/record.ts';
import { commandScope } from '../../effects/effect.ts';
import { crossedOnTheWay, rollbackPlan } from '../../effects/plan/rollback.ts';
import { checkpointsFor } from '../../plan/checkpoint/checkpoints.ts';
import { idOf } from '../checkpoint/list.ts';
import { putBack } from '../checkpoint/restore.ts';
import { closeTemporal, startOrAttach } from '../../clients/temporal/index.ts';
import type { Confirmation } from '../../contract/operations/deploy.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import type { RollbackInput } from '../../contract/operations/rollback.ts';
import type { Connections } from '../../environment/connections.ts';
import type { PlanFile } from '../../plan/diff/file.ts';
import { RollbackRefusedError } from '../../plan/versions/rollback-refused.ts';
import { withClients } from '../shared/clients.ts';
import type { RollbackOptions } from './options.ts';
import { requireSamePlan } from '../plan/kept.ts';
import { confirmationOf } from '../deploy/confirmed.ts';
import { requireFreeLock } from '../deploy/lock/require-free.ts';
import { ensureLocalStackAgain } from '../deploy/local-stack.ts';
import { beforeStart, prerequisites } from '../deploy/prerequisites.ts';
import type { Session } from '../deploy/session.ts';
import { watchStarted } from '../deploy/watch.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { previewJson, previewLines } from '../render/rollback-preview.ts';
import { writeJson } from '../render/renderers.ts';
import { printLines } from '../shared/terminal.ts';

export async function rollback(session: Session, asked: RollbackOptions, kept?: PlanFile): Promise<ExitCode> {
  const options: RollbackOptions = kept
    ? {
        ...asked,
        ...(kept.toVersion === undefined ? {} : { to: kept.toVersion }),
        ...(kept.pastNoReturn ? { pastNoReturn: true } : {}),
      }
    : { ...asked, ...(asked.restore ? { pastNoReturn: true } : {}) };
  const { environment, context, renderer, json } = session;
  const connections = await ensureLocalStackAgain(session);
  const ready = await prerequisites(session, connections);
  let plan: OperationPlan;
  let confirmation: Confirmation | undefined;
  try {
    await requireFreeLock(session, ready, 'rollback');
    plan = await openWay(session, connections, options);
    if (kept) requireSamePlan(asked.plan ?? '', kept, ready.clusterUid, { digest: plan.digest, plan });
    if (json) writeJson(context.terminal.stdout, previewJson(plan));
    else {
      renderer.close();
      printLines(context.terminal.stdout, previewLines(plan, Math.min(context.terminal.stdout.columns ?? 100, 100)));
    }
    confirmation = await confirmationOf(session, ready.cluster, { operation: 'rollback', confirm: options.confirm });
    if (options.restore) await restoreDatabases(session, connections, { ...options, to: plan.toVersion });
  } catch (error) {
    await closeTemporal(ready.client).catch(() => undefined);
    throw error;
  }
  const input: RollbackInput = {
    environment: environment.name,
    clusterUid: ready.clusterUid,
    requestedBy: context.config.requestedBy,
    pastNoReturn: options.pastNoReturn === true,
    // What was shown is what is done, also when another version is made in between.
    ...(plan.toVersion === undefined ? {} : { toVersion: plan.toVersion }),
    expectedDigest: plan.digest,
    ...(options.timeout === undefined ? {} : { timeoutSeconds: options.timeout }),
    ...(confirmation ? { confirmation } : {}),
    ...(options.overrideFreeze === undefined ? {} : { freezeOverride: options.overrideFreeze }),
  };
  // Never attached to a deployment by accident.
  const proved = await beforeStart(session, ready, 'rollback', input);
  const run = await startOrAttach(ready.client, 'rollback', proved, 'refuse');
  return watchStarted(session, ready, run, { operation: 'rollback', detach: options.detach === true });
}

/** @throws CliError (refused) for a version that is not kept, revisions that Helm has lost, or a point of no return */
async function openWay(
  session: Session,
  connections: Connections,
  { to, pastNoReturn }: RollbackOptions,
): Promise<OperationPlan> {
  const { environment, context, interrupted } = session;
  try {
    return await withClients(context, environment, connections, (clients) =>
      rollbackPlan(
        clients,
        environment,
        { ...(to === undefined ? {} : { toVersion: to }), pastNoReturn: pastNoReturn === true },
        interrupted,
      ),
    );
  } catch (error) {
    if (!(error instanceof RollbackRefusedError)) throw error;
    const env = ['--env', environment.name];
    throw refused(
      error.message,
      ...(error.type === FAILURES.pointOfNoReturn
        ? [
            `${commandLine('rollback', ...env, ...(to === undefined ? [] : ['--to', String(to)]), '--restore', '--identity', 'FILE')}   (with the database as it was before, where a checkpoint was taken: ${commandLine('checkpoint', 'list', ...env)})`,
            `${commandLine('rollback', ...env, ...(to === undefined ? [] : ['--to', String(to)]), '--past-no-return')}   (crosses it all the same)`,
            'docs/do/history-and-rollback.md: "Points of no return"',
          ]
        : [`${commandLine('history', ...env)}   (the versions that are kept)`]),
    );
  }
}

/**
 * Before the releases go back: what they were made for is there again when they start. Run again it puts back nothing
 * twice.
 * @throws CliError (refused) where a migration was run without a checkpoint
 */
async function restoreDatabases(
  session: Session,
  connections: Connections,
  { to, identity = '', confirm, json }: Omit<RollbackOptions, 'to'> & { to: number | undefined },
): Promise<void> {
  const { environment, context, interrupted } = session;
  const { name } = environment;
  await withClients(context, environment, connections, async (clients) => {
    const [crossed, records] = await Promise.all([
      crossedOnTheWay(clients, environment, to, interrupted),
      readCheckpoints(clients.kubernetes, name, interrupted),
    ]);
    const { chosen, missing } = checkpointsFor(crossed, clients.catalog, records);
    if (missing.length > 0)
      throw refused(
        `Nothing was touched: no checkpoint is on record from before ${missing.join(', ')}.`,
        `${commandLine('checkpoint', 'list', '--env', name)}   (what there is)`,
        `${commandLine('rollback', '--env', name, ...(to === undefined ? [] : ['--to', String(to)]), '--past-no-return')}   (the database keeps what the migration did)`,
      );
    const byHand = chosen.find(({ snapshots }) => snapshots !== undefined);
    if (byHand !== undefined)
      throw refused(
        `Nothing was touched: the checkpoint of ${byHand.server}/${byHand.database} is a snapshot of its volumes, which nobody puts in the place of the live ones by itself.`,
        `${commandLine('checkpoint', 'restore', idOf(byHand), '--env', name)}   (makes claims from it, and says how to use them)`,
      );
    const scope = commandScope(interrupted, (text) => printLines(context.terminal.stderr, [`  ${text}`]));
    for (const record of chosen)
      await putBack(
        context,
        clients,
        record,
        { name, identity, repeat: 'never', ...(confirm === undefined ? {} : { confirm }), ...(json ? { json } : {}) },
        scope,
      );
  });
}
