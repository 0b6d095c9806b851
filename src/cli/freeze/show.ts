/** `ananta freeze`: whether the environment is frozen now, until when, and what comes. Reads the file alone. */
import { EXIT_CODES } from '../../contract/failures.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import { frozenText } from '../../plan/admission/words.ts';
import { comingWindows, freezeAt } from '../../plan/freeze/state.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { commandLine, duration } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';

export interface FreezeOptions {
  env: string;
  json?: true;
}

const COMING = 5;

export async function showFreeze(context: CliContext, { env, json }: FreezeOptions): Promise<ExitCode> {
  const environment = await loadEnvironment(env, context.config);
  const now = Date.now();
  const { stdout } = context.terminal;
  printLines(stdout, json ? [JSON.stringify(freezeJson(environment, now))] : freezeLines(environment, now));
  return EXIT_CODES.done;
}

function freezeJson({ name, freeze }: Pick<Environment, 'name' | 'freeze'>, now: number): Record<string, unknown> {
  if (freeze === undefined) return { environment: name, frozen: false, windows: [], coming: [] };
  const { onFrozen, allow } = freeze;
  return { environment: name, ...freezeAt(freeze, now), onFrozen, allow, coming: comingWindows(freeze, now, COMING) };
}

/** @param now milliseconds since the epoch */
export function freezeLines({ name, freeze }: Pick<Environment, 'name' | 'freeze'>, now: number): string[] {
  if (freeze === undefined) return [`${name} has no freeze windows (freeze in environments/${name}.yaml).`];
  const state = freezeAt(freeze, now);
  const coming = comingWindows(freeze, now, COMING);
  const left = state.until === undefined ? '' : `: ${duration((Date.parse(state.until) - now) / 1000)} left`;
  const meanwhile =
    freeze.onFrozen === 'wait' ? 'An operation waits for the end of it.' : 'An operation is refused meanwhile.';
  return [
    state.frozen
      ? `${name} ${frozenText(state)}${left}. ${meanwhile}`
      : `${name} is not frozen${state.exception === undefined ? '' : `: an exception lasts (${state.exception})`}.`,
    ...(freeze.allow.length === 0 ? [] : [`Let through all the same: ${freeze.allow.join(', ')}.`]),
    ...(coming.length === 0 ? [] : ['', 'What comes:']),
    ...coming.map(({ name: window, from, to }) => `  ${from}${to === undefined ? '' : ` to ${to}`}   ${window}`),
    ...(state.frozen
      ? [
          '',
          'Next:',
          `  ${commandLine('deploy', '--env', name, '--override-freeze', 'REASON')}   (goes on all the same; the reason is kept)`,
          `  ${commandLine('freeze', 'override', '--env', name, '--reason', 'REASON')}   (for an operation that waits)`,
        ]
      : []),
  ];
}
