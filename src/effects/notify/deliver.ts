/** One attempt at one target. */
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { AnswerLink, DeliveryAnswer, Notification, ToldNotification } from '../../contract/notifications.ts';
import { type NotifyTarget, notifyTargets } from '../../plan/notify/targets.ts';
import type { EffectScope } from '../effect.ts';
import { currentEnvironment } from '../environment.ts';
import { answerKey } from './answer-key.ts';
import { answerLinks } from './answer-links.ts';
import { callOnce } from './command.ts';
import { postOnce } from './webhook.ts';

/** A failure is an answer, too: whoever asks decides whether it is tried again. */
export async function deliverNotification(
  clients: Clients,
  { run, target, notification }: InputOf<'deliverNotification'>,
  scope: EffectScope,
): OutputOf<'deliverNotification'> {
  scope.doing(`tells ${target}`);

  const { notify } = await currentEnvironment(clients);
  const found = notifyTargets(notify).find(({ name }) => name === target);
  if (found === undefined)
    return { delivered: false, permanent: true, text: `The environment's file names no target ${target} any more` };
  return deliver(clients, found, notification, run.clusterUid, scope.signal);
}

/** Never throws, except for the signal. */
export async function deliver(
  clients: Clients,
  target: NotifyTarget,
  notification: Notification,
  clusterUid: string,
  signal: AbortSignal,
): Promise<DeliveryAnswer> {
  const { redactor } = clients;
  const { asks: _, ...told } = notification;
  const { answers, problem } = await linksFor(clients, target, notification, clusterUid, signal);
  const clean: ToldNotification = {
    ...told,
    title: redactor.redact(notification.title),
    lines: [...notification.lines, ...(problem === undefined ? [] : [problem])].map((line) => redactor.redact(line)),
    ...(answers.length === 0 ? {} : { answers }),
  };
  const answer = await attempt(clients, target, clean, clusterUid, signal);
  const redacted = { ...answer, text: redactor.redactForeign(redactor.redact(answer.text)) };
  await log(clients, target, clean, redacted.text).catch(() => undefined);
  return redacted;
}

/** Without a key for the links the notification is sent all the same, without them. */
async function linksFor(
  clients: Clients,
  { name, links }: NotifyTarget,
  notification: Notification,
  clusterUid: string,
  signal: AbortSignal,
): Promise<{ answers: AnswerLink[]; problem?: string }> {
  if (links === undefined || notification.asks === undefined) return { answers: [] };
  try {
    const key = await answerKey(clients, links, clusterUid, signal);
    const answers = answerLinks(key, links.url, name, notification, Date.now());
    // What a receiver echoes, in whatever form, goes into the history and a log.
    clients.redactor.learn(...answers.map(({ url }) => url.slice(url.lastIndexOf('.') + 1)));
    return { answers };
  } catch (error) {
    signal.throwIfAborted();
    const text = error instanceof Error ? error.message : String(error);
    return { answers: [], problem: `It cannot be answered by a link: ${text}` };
  }
}

async function attempt(
  clients: Clients,
  target: NotifyTarget,
  notification: ToldNotification,
  clusterUid: string,
  signal: AbortSignal,
): Promise<DeliveryAnswer> {
  try {
    return 'command' in target
      ? await callOnce(clients, target, notification, signal)
      : await postOnce(clients, target, notification, clusterUid, signal);
  } catch (error) {
    signal.throwIfAborted();
    const text = error instanceof Error ? error.message : String(error);
    const permanent = error instanceof DeployError && error.type === FAILURES.invalidInput;
    return { delivered: false, text, ...(permanent ? { permanent } : {}) };
  }
}

/** What the receiver answered, for whoever wonders why nothing arrived. */
async function log(
  { connections }: Clients,
  { name, earlier }: NotifyTarget,
  { at, event, title }: ToldNotification,
  said: string,
): Promise<void> {
  const folder = join(connections.stateDir, 'logs');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await appendFile(
    join(folder, 'notify.log'),
    `${at} ${event}: ${title}\n  ${earlier ? '' : `${name}: `}${said.replaceAll('\n', '\n  ')}\n`,
    { mode: 0o600 },
  );
}
