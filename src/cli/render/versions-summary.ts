/** What the end of an operation says of platform versions, of what was taken back, and of evidence. Pure. */
import type { OperationResult } from '../../contract/operations/deploy.ts';
import { commandLine, count, oneLine, wrap } from '../shared/format.ts';
import type { Style } from '../shared/terminal.ts';
import { isSuccess } from '../../contract/operations/states.ts';

type Options = { columns: number; style: Style };

/** Below the headline of whatever ended well. */
export function versionLine({ operation, version, toVersion, outcome }: OperationResult): string[] {
  if (operation === 'rollback' && toVersion !== undefined) {
    return [
      outcome === 'unchanged'
        ? `  It has the content of version ${toVersion} already.`
        : `  It has the content of version ${toVersion} again${version === undefined ? '' : `, and is version ${version} now`}.`,
    ];
  }
  return version === undefined ? [] : [`  Platform version ${version}.`];
}

/** Evidence from before anything was touched, notes, and how taking back ended. */
export function afterwards({ evidence = [], notes = [], undone }: OperationResult, options: Options): string[] {
  const lines = [
    ...evidence.map(({ service, file }) => `  Evidence of ${service}, before it was touched: ${file}`),
    ...notes.flatMap((note) => wrapped(note, options)),
  ];
  return [...(lines.length > 0 ? ['', ...lines] : []), ...(undone ? ['', ...undoneLines(undone, options)] : [])];
}

function undoneLines(
  { outcome, services, notes = [], failure }: NonNullable<OperationResult['undone']>,
  options: Options,
): string[] {
  const back = services.filter((service) => service.changed && service.state !== 'failed').map(({ name }) => name);
  const failed = services.filter(({ state }) => state === 'failed');
  const headline =
    outcome === 'succeeded'
      ? options.style(
          'good',
          `What this deployment had changed was taken back: ${count(back.length, 'service')} ${back.length === 1 ? 'is' : 'are'} as before.`,
        )
      : outcome === 'unchanged'
        ? 'Nothing that this deployment had changed could or had to be taken back.'
        : options.style(
            'bad',
            `Taking back what this deployment had changed ${outcome === 'cancelled' ? 'was cancelled' : 'failed'}${back.length > 0 ? `; ${count(back.length, 'service')} ${back.length === 1 ? 'is' : 'are'} as before` : ', everything is as it was left'}.`,
          );
  return [
    headline,
    ...(back.length > 0 ? wrapped(back.join(', '), options) : []),
    ...failed.flatMap((service) =>
      wrapped(
        `✘ ${service.name}: ${service.failure?.message ?? 'no reason was given'}${service.failure?.evidence === undefined ? '' : ` (evidence: ${service.failure.evidence})`}`,
        options,
      ),
    ),
    ...(failure && failed.length === 0 ? wrapped(failure.message, options) : []),
    ...notes.flatMap((note) => wrapped(note, options)),
  ];
}

/** What can be done after a rollback. */
export function afterRollback({ environment, outcome, toVersion }: OperationResult): [line: string, does: string][] {
  const env = ['--env', environment];
  const to = toVersion === undefined ? [] : ['--to', String(toVersion)];
  if (isSuccess(outcome)) {
    return [
      [commandLine('verify', ...env), 'run every health check now'],
      [commandLine('history', ...env), 'the versions that are kept'],
      [commandLine('deploy', ...env), 'forward again, to what this checkout says'],
    ];
  }
  return [
    [commandLine('rollback', ...env, ...to), 'try again: goes on from what is back already'],
    [commandLine('history', ...env), 'the versions that are kept'],
    [commandLine('doctor', ...env), 'is the local stack in order?'],
  ];
}

function wrapped(text: string, { columns }: Options): string[] {
  return wrap(oneLine(text), columns - 4).map((line) => `  ${line}`);
}
