/** Sends notifications: to the environment's command, its webhook, or both. */
import { currentEnvironment } from './environment.ts';
import { DeployError } from '../contract/errors.ts';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { headersOf } from '../clients/headers-file.ts';
import type { Clients } from '../clients/index.ts';
import type { InputOf, OutputOf, NotifyInput } from '../contract/activities.ts';
import { FAILURES } from '../contract/failures.ts';
import { workflowUrl } from '../environment/workflow-url.ts';
import type { Environment } from '../environment/schema.ts';
import { digestOf } from '../plan/digest.ts';
import { readDriftState, updateDriftState } from './drift/state.ts';
import { formatted } from '../plan/notify/format.ts';
import type { EffectScope } from './effect.ts';
import { signatureHeaders } from './notify-signature.ts';

type Notify = Environment['notify'];

/** What the command finds on its standard input and the webhook in its body. Documented in docs/look-up/drift.md. */
export interface Notification {
  event: NotifyInput['event'];
  environment: string;
  /** One line. */
  title: string;
  lines: string[];
  workflowId: string;
  runId: string;
  /** Of the run in the Temporal UI, where one is known. */
  url?: string;
  /** ISO 8601. */
  at: string;
}

/** Lines of output that are kept of each call. */
const OUTPUT_LINES = 20;

export async function notify(clients: Clients, input: InputOf<'notify'>, scope: EffectScope): OutputOf<'notify'> {
  scope.doing('tells of it');

  const { notify: how } = await currentEnvironment(clients);
  if (how.command === undefined && how.webhook === undefined) return { sent: false };
  const about = input.about === undefined ? undefined : digestOf(input.about.toSorted());
  const { environment } = input.run;
  // A cluster that does not answer is itself worth a message: rather sent twice than never.
  const told =
    about === undefined
      ? undefined
      : await readDriftState(clients.kubernetes, environment, scope.signal).then(
          ({ notified }) => notified,
          () => undefined,
        );
  if (about !== undefined && told === about) return { sent: false };
  await send(clients, how, notificationOf(clients, input), scope);
  if (about !== undefined) {
    await updateDriftState(
      clients.kubernetes,
      environment,
      (state) => (state.notified === about ? state : { ...state, notified: about }),
      scope.signal,
    ).catch(() => undefined);
  }
  return { sent: true };
}

function notificationOf({ connections, redactor }: Clients, { run, event, title, lines }: NotifyInput): Notification {
  const url = workflowUrl(connections.engine, run);
  return {
    event,
    environment: run.environment,
    title: redactor.redact(title),
    lines: lines.map((line) => redactor.redact(line)),
    workflowId: run.workflowId,
    runId: run.runId,
    ...(url === undefined ? {} : { url }),
    at: new Date().toISOString(),
  };
}

/** Both are tried, whether or not the other works. @throws DeployError with what went wrong, output included */
async function send(clients: Clients, how: Notify, notification: Notification, scope: EffectScope): Promise<void> {
  const body = JSON.stringify(notification);
  const attempts: Promise<string>[] = [];
  if (how.command !== undefined)
    attempts.push(runCommand(clients, how.command, body, how.timeoutSeconds, scope.signal));
  if (how.webhook !== undefined) attempts.push(post(clients, how.webhook, how, notification, scope.signal));
  const ended = await Promise.allSettled(attempts);
  const said = ended.map((end) =>
    clients.redactor.redact(
      end.status === 'fulfilled' ? end.value : String(end.reason instanceof Error ? end.reason.message : end.reason),
    ),
  );
  await log(clients, notification, said);
  const failed = said.filter((_, index) => ended[index]?.status === 'rejected');
  if (failed.length > 0) throw new DeployError(FAILURES.unexpected, failed.join('; '));
}

async function runCommand(
  clients: Clients,
  [file = '', ...args]: string[],
  input: string,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<string> {
  const { failed, timedOut, exitCode, originalMessage, all } = await execa(file, args, {
    reject: false,
    input,
    all: true,
    timeout: timeoutSeconds * 1000,
    cancelSignal: signal,
    cwd: clients.config.repoRoot,
    // Nothing of the worker's own surroundings: a program of somebody else's needs no more than this.
    env: clients.config.childEnv,
    extendEnv: false,
    forceKillAfterDelay: 2000,
    maxBuffer: 1024 * 1024,
  });
  const output = all === '' ? '' : `:\n${tail(all)}`;
  if (!failed) return `${file} ended well${output}`;
  const why = timedOut
    ? `was ended after ${timeoutSeconds} s`
    : exitCode === undefined
      ? `could not be run: ${originalMessage ?? 'no reason given'}`
      : `ended with ${exitCode}`;
  throw new Error(`The command ${file} ${why}${output}`);
}

async function post(
  { redactor }: Clients,
  url: string,
  { headersFile, signingKeyFile, format, timeoutSeconds }: Notify,
  notification: Notification,
  signal: AbortSignal,
): Promise<string> {
  const body = formatted(format, notification);
  const headers = headersFile === undefined ? {} : headersOf(await readFile(headersFile, 'utf8'), 'notify.headersFile');
  redactor.learn(...Object.values(headers), ...Object.values(headers).map((value) => value.split(' ').at(-1)));
  const signature = signingKeyFile === undefined ? {} : await signed(redactor, signingKeyFile, notification, body);
  const { host } = new URL(url);
  let answer: Response;
  try {
    // Followed elsewhere it would take the headers along.
    answer = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', ...headers, ...signature },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    throw new Error(
      `The webhook at ${host} could not be reached (${error instanceof Error ? error.message : String(error)}${cause})`,
      { cause: error },
    );
  }
  const text = tail(await answer.text());
  if (!answer.ok) throw new Error(`The webhook at ${host} answered ${answer.status}${text === '' ? '' : `: ${text}`}`);
  return `The webhook at ${host} answered ${answer.status}`;
}

/** One message has one id, however often it is sent; the key is never sent. */
async function signed(
  redactor: Clients['redactor'],
  file: string,
  { event, workflowId, runId, title, lines }: Notification,
  body: string,
): Promise<Record<string, string>> {
  const key = (await readFile(file, 'utf8')).trim();
  if (key === '') throw new DeployError(FAILURES.invalidInput, `notify.signingKeyFile ${file} is empty`);
  redactor.learn(key);
  const id = `msg_${digestOf([event, workflowId, runId, title, ...lines])}`;
  return signatureHeaders(key, id, Math.floor(Date.now() / 1000), body);
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-OUTPUT_LINES).join('\n').slice(-4000);
}

/** What came back, to find out why a message did not arrive. */
async function log(
  { connections }: Clients,
  { at, event, title }: Notification,
  said: readonly string[],
): Promise<void> {
  const folder = join(connections.stateDir, 'logs');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await appendFile(
    join(folder, 'notify.log'),
    `${at} ${event}: ${title}\n${said.map((line) => `  ${line.replaceAll('\n', '\n  ')}\n`).join('')}`,
    { mode: 0o600 },
  );
}
