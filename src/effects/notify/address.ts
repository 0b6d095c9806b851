/** What a notification says and who gets it: from the environment's file as it is now. */
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { Notification, NotificationInput } from '../../contract/notifications.ts';
import { workflowUrl } from '../../environment/workflow-url.ts';
import { digestOf } from '../../plan/digest.ts';
import { notifyTargets, wantsEvent } from '../../plan/notify/targets.ts';
import { readDriftState, updateDriftState } from '../drift/state.ts';
import type { EffectScope } from '../effect.ts';
import { currentEnvironment } from '../environment.ts';

/** Targets that get it; none where the last notification said the same. */
export async function addressNotification(
  clients: Clients,
  input: InputOf<'addressNotification'>,
  scope: EffectScope,
): OutputOf<'addressNotification'> {
  scope.doing('looks who is to be told');

  const { notify } = await currentEnvironment(clients);
  const targets = notifyTargets(notify)
    .filter((target) => wantsEvent(target, input.event) && (input.targets?.includes(target.name) ?? true))
    .map(({ name }) => name);
  const notification = notificationOf(clients, input);
  if (targets.length === 0 || input.about === undefined) return { targets, notification };
  return { targets: (await claims(clients, input, scope.signal)) ? targets : [], notification };
}

/** The same findings are sent once: by the run that has begun to. */
async function claims(
  { kubernetes }: Clients,
  { run, about = [] }: NotificationInput,
  signal: AbortSignal,
): Promise<boolean> {
  const notified = digestOf(about.toSorted());
  const ours = { notified, notifiedBy: run.runId };
  const isOurs = (state: { notified?: string | undefined; notifiedBy?: string | undefined }): boolean =>
    state.notified === notified && state.notifiedBy === run.runId;
  try {
    const after = await updateDriftState(
      kubernetes,
      run.environment,
      (state) => (state.notified === notified ? state : { ...state, ...ours }),
      signal,
    );
    return isOurs(after);
  } catch {
    signal.throwIfAborted();
    // Without an answer from the cluster the notification is sent, perhaps twice.
    const known = await readDriftState(kubernetes, run.environment, signal).catch(() => undefined);
    return known === undefined || known.notified !== notified || isOurs(known);
  }
}

export function notificationOf(
  { connections, redactor }: Pick<Clients, 'connections' | 'redactor'>,
  { run, event, title, lines, asks }: Pick<NotificationInput, 'run' | 'event' | 'title' | 'lines' | 'asks'>,
): Notification {
  const { environment, workflowId, runId, operation } = run;
  const url = workflowUrl(connections.engine, run);
  return {
    id: `msg_${digestOf([event, workflowId, runId, title, ...lines])}`,
    event,
    environment,
    ...(operation === undefined ? {} : { operation }),
    title: redactor.redact(title),
    lines: lines.map((line) => redactor.redact(line)),
    workflowId,
    runId,
    ...(url === undefined ? {} : { url }),
    at: new Date().toISOString(),
    ...(asks ? { asks } : {}),
  };
}
