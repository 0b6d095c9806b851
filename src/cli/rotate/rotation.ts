/** Shows what will be rotated and who is restarted for it, asks where it must, then starts it and watches. */
import { closeTemporal, startOrAttach } from '../../clients/temporal/index.ts';
import type { Confirmation } from '../../contract/operations/deploy.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import type { RotateSelection } from '../../contract/operations/secret-name.ts';
import type { RotateInput } from '../../contract/operations/rotate.ts';
import { rotatePlan } from '../../effects/plan/rotate.ts';
import type { PlanFile } from '../../plan/diff/file.ts';
import { confirmationOf } from '../deploy/confirmed.ts';
import { requireFreeLock } from '../deploy/lock/require-free.ts';
import { ensureLocalStackAgain } from '../deploy/local-stack.ts';
import { beforeStart, prerequisites } from '../deploy/prerequisites.ts';
import type { Session } from '../deploy/session.ts';
import { watchStarted } from '../deploy/watch.ts';
import { requireSamePlan } from '../plan/kept.ts';
import { writeJson } from '../render/renderers.ts';
import { withClients } from '../shared/clients.ts';
import type { ExitCode } from '../shared/failure.ts';
import { printLines } from '../shared/terminal.ts';
import type { RotateOptions } from './options.ts';
import { previewJson, previewLines } from './preview.ts';

export async function rotate(
  session: Session,
  options: RotateOptions,
  selection: RotateSelection,
  kept?: PlanFile,
): Promise<ExitCode> {
  const { environment, context, renderer, json, interrupted } = session;
  const connections = await ensureLocalStackAgain(session);
  const ready = await prerequisites(session, connections);
  let plan: OperationPlan;
  let confirmation: Confirmation | undefined;
  try {
    await requireFreeLock(session, ready, 'rotate');
    plan = await withClients(context, environment, connections, (clients) =>
      rotatePlan(clients, environment, selection, interrupted),
    );
    if (kept) requireSamePlan(options.plan ?? '', kept, ready.clusterUid, { digest: plan.digest, plan });
    if (json) writeJson(context.terminal.stdout, previewJson(plan));
    else {
      renderer.close();
      printLines(context.terminal.stdout, previewLines(plan, Math.min(context.terminal.stdout.columns ?? 100, 100)));
    }
    if (!plan.steps?.some(({ kind }) => kind === 'rotate-add')) {
      await closeTemporal(ready.client);
      return EXIT_CODES.done;
    }
    confirmation = await confirmationOf(session, ready.cluster, { operation: 'rotate', confirm: options.confirm });
  } catch (error) {
    await closeTemporal(ready.client).catch(() => undefined);
    throw error;
  }
  const input: RotateInput = {
    environment: environment.name,
    clusterUid: ready.clusterUid,
    requestedBy: context.config.requestedBy,
    ...selection,
    expectedDigest: plan.digest,
    ...(options.timeout === undefined ? {} : { timeoutSeconds: options.timeout }),
    ...(confirmation ? { confirmation } : {}),
    ...(options.overrideFreeze === undefined ? {} : { freezeOverride: options.overrideFreeze }),
  };
  const proved = await beforeStart(session, ready, 'rotate', input);
  const run = await startOrAttach(ready.client, 'rotate', proved, 'refuse');
  return watchStarted(session, ready, run, { operation: 'rotate', detach: options.detach === true });
}
