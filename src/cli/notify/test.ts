/** `ananta notify test`: whether notifications arrive. */
import { EXIT_CODES } from '../../contract/failures.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { notifyTargets } from '../../plan/notify/targets.ts';
import { suggestion } from '../../suggest.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import type { NotifyTestOptions } from './options.ts';
import { deliveryLines } from './render.ts';

export async function testNotify(
  context: CliContext,
  { env, target: wanted, json }: NotifyTestOptions,
): Promise<ExitCode> {
  const { notify } = await loadEnvironment(env, context.config);
  const names = notifyTargets(notify).map(({ name }) => name);
  const unknown = wanted?.find((name) => !names.includes(name));
  if (unknown !== undefined || names.length === 0)
    throw refused(
      unknown === undefined
        ? `The environment "${env}" tells nobody: notify in its file names no target.`
        : `The environment "${env}" names no target "${unknown}"${suggestion(unknown, names)}.`,
      names.length === 0 ? 'docs/look-up/notifications.md says what to write' : `There are: ${names.join(', ')}`,
    );
  // Loaded late: the clients take a second, and a wrong target should be refused at once.
  const { tellNow } = await import('./run.ts');
  const [result] = await tellNow(context, env, [
    {
      event: 'test',
      title: `Test from ananta-deploy: ${env}`,
      lines: [`${context.config.requestedBy} tries whether this arrives. Nothing has happened.`],
      ...(wanted ? { targets: wanted } : {}),
    },
  ]);
  const deliveries = result?.deliveries ?? [];
  const missed = (wanted ?? names).filter((name) => !deliveries.some(({ target }) => target === name));
  printLines(
    context.terminal.stdout,
    json
      ? [JSON.stringify({ environment: env, ...result, ...(missed.length > 0 ? { missed } : {}) })]
      : [
          ...deliveryLines(deliveries, context.terminal.style),
          ...missed.map((name) => `${name}: the worker does not know it; it reads another file of this environment`),
        ],
  );
  if (missed.length === 0 && deliveries.every(({ delivered }) => delivered)) return EXIT_CODES.done;
  if (!json)
    printLines(context.terminal.stderr, [
      '',
      `Next: ${commandLine('env', 'check', env)}   (what is wrong with the file)`,
    ]);
  return EXIT_CODES.failed;
}
