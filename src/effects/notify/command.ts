/** One call of a program that sends a notification. */
import { execa } from 'execa';
import type { Clients } from '../../clients/index.ts';
import type { DeliveryAnswer, ToldNotification } from '../../contract/notifications.ts';
import { formatted } from '../../plan/notify/format.ts';
import type { CommandTarget } from '../../plan/notify/targets.ts';
import { outputTail } from './output.ts';

export async function callOnce(
  { config }: Pick<Clients, 'config'>,
  { command: [file = '', ...args], timeoutSeconds, earlier }: CommandTarget,
  notification: ToldNotification,
  signal: AbortSignal,
): Promise<DeliveryAnswer> {
  const { failed, timedOut, exitCode, originalMessage, all } = await execa(file, args, {
    reject: false,
    input: formatted('json', notification, { earlier: earlier === true }),
    all: true,
    timeout: timeoutSeconds * 1000,
    cancelSignal: signal,
    cwd: config.repoRoot,
    // The program gets only these variables, not the worker's whole environment.
    env: config.childEnv,
    extendEnv: false,
    forceKillAfterDelay: 2000,
    maxBuffer: 1024 * 1024,
  });
  signal.throwIfAborted();
  const output = all === '' ? '' : `:\n${outputTail(all)}`;
  if (!failed) return { delivered: true, text: `${file} ended well${output}` };
  const why = timedOut
    ? `was ended after ${timeoutSeconds} s`
    : exitCode === undefined
      ? `could not be run: ${originalMessage ?? 'no reason given'}`
      : `ended with ${exitCode}`;
  return { delivered: false, text: `The command ${file} ${why}${output}` };
}
