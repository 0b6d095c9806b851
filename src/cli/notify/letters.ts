/** `ananta notify list|retry|drop`: notifications that did not arrive. */
import { EXIT_CODES } from '../../contract/failures.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { StoredLetter } from '../../effects/notify/dead-letters.ts';
import { suggestion } from '../../suggest.ts';
import { withVersions } from '../history/read.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import type { NotifyLettersOptions, NotifyOptions } from './options.ts';
import { deliveryLines, letterLines } from './render.ts';

export async function listLetters(context: CliContext, { env, json }: NotifyOptions): Promise<ExitCode> {
  const letters = await lettersOf(context, env);
  const { stdout } = context.terminal;
  printLines(
    stdout,
    json
      ? [JSON.stringify(letters.map(({ letter }) => letter))]
      : letterLines(
          env,
          letters.map(({ letter }) => letter),
          stdout.columns ?? 120,
        ),
  );
  return EXIT_CODES.done;
}

/** The oldest first, as they would have arrived. */
export async function retryLetters(
  context: CliContext,
  ids: readonly string[],
  options: NotifyLettersOptions,
): Promise<ExitCode> {
  const { env, json } = options;
  requireChoice(ids, options);
  const wanted = chosen(ids, await lettersOf(context, env), options).toReversed();
  const asked = wanted.map(({ letter }) => {
    const { event, title, lines } = letter.notification;
    return { event, title, lines, letter };
  });
  // With nothing to tell neither engine nor worker is needed.
  const results = asked.length === 0 ? [] : await (await import('./run.ts')).tellNow(context, env, asked);
  const deliveries = results.flatMap((result, index) =>
    result.deliveries.map((delivery) => ({ ...delivery, letter: wanted[index]?.letter.id ?? '' })),
  );
  printLines(
    context.terminal.stdout,
    json
      ? [JSON.stringify({ environment: env, deliveries })]
      : deliveries.length === 0
        ? [`Everything that was to be told on ${env} was told.`]
        : deliveryLines(deliveries, context.terminal.style),
  );
  return deliveries.every(({ delivered }) => delivered) ? EXIT_CODES.done : EXIT_CODES.failed;
}

export async function dropLetters(
  context: CliContext,
  ids: readonly string[],
  options: NotifyLettersOptions,
): Promise<ExitCode> {
  const { env, json } = options;
  requireChoice(ids, options);
  const environment = await loadEnvironment(env, context.config);
  // Loaded late: the clients take a second, and a wrong name should be refused at once.
  const { withLiveClients } = await import('../shared/clients.ts');
  const { readDeadLetters, removeDeadLetter } = await import('../../effects/notify/dead-letters.ts');
  const dropped = await withLiveClients(context, environment, async ({ kubernetes }, signal) => {
    const wanted = chosen(ids, await readDeadLetters(kubernetes, env, signal), options);
    for (const stored of wanted) await removeDeadLetter(kubernetes, stored, signal);
    return wanted.map(({ letter }) => letter);
  });
  printLines(
    context.terminal.stdout,
    json
      ? [JSON.stringify({ environment: env, dropped: dropped.map(({ id }) => id) })]
      : dropped.length === 0
        ? [`There is nothing to drop on ${env}.`]
        : dropped.map(({ id, target, notification: { title } }) => `Dropped: ${id}  ${target}: ${title}`),
  );
  return EXIT_CODES.done;
}

function lettersOf(context: CliContext, env: string): Promise<StoredLetter[]> {
  return withVersions(context, env, async ({ kubernetes }, { name }) => {
    const { readDeadLetters } = await import('../../effects/notify/dead-letters.ts');
    return readDeadLetters(kubernetes, name);
  });
}

/** @throws CliError (refused) for neither ids nor --all, or both */
function requireChoice(ids: readonly string[], { all, env }: NotifyLettersOptions): void {
  if (Boolean(all) === ids.length > 0) throw refused('It needs either ids, or --all.', listLine(env));
}

function listLine(env: string): string {
  return commandLine('notify', 'list', '--env', env);
}

/** @throws CliError (refused) for an id that is not among them */
function chosen(
  ids: readonly string[],
  letters: readonly StoredLetter[],
  options: NotifyLettersOptions,
): StoredLetter[] {
  if (options.all) return [...letters];
  const known = letters.map(({ letter }) => letter.id);
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown !== undefined)
    throw refused(
      `Nothing of the id "${unknown}" could not be told${suggestion(unknown, known)}.`,
      listLine(options.env),
    );
  return letters.filter(({ letter }) => ids.includes(letter.id));
}
