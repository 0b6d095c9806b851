import type { Command } from 'commander';
import type { NotifyLettersOptions, NotifyOptions, NotifyTestOptions } from '../../notify/options.ts';
import { type CommandText, environmentCommand, plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';

const JSON_OPTION = ['--json', 'one JSON value on standard output'] as const;

export function notifyCommand(context: CliContext): Command {
  const list = environmentCommand('list', {
    summary: 'what nobody could be told (the default)',
    description: `What a target of the environment's file was not told, after all attempts: when, how often it was tried, what came back
last. Kept in the cluster, the newest 100, for 30 days. Needs neither engine nor worker.`,
    examples: [
      ['notify list --env prod', 'The newest first.'],
      ['notify list --env prod --json', 'For a program, with what was to be told.'],
    ],
  })
    .option(...JSON_OPTION)
    .action(async (options: NotifyOptions) => {
      const { listLetters } = await import('../../notify/letters.ts');
      context.finish(await listLetters(context, options));
    });
  const ofLetters = (name: string, text: CommandText): Command =>
    environmentCommand(name, text)
      .argument('[ids...]', 'as "notify list" shows them')
      .option('--all', 'all of them')
      .option(...JSON_OPTION);
  const retry = ofLetters('retry', {
    summary: 'tell again what did not arrive, the oldest first',
    description: `Each is told as it was, under the same webhook-id, by a worker, once. What arrives is forgotten; what does not stays.

Exit code 1: something did not arrive.`,
    examples: [
      ['notify retry 3f2a9c01 --env prod', 'This one.'],
      ['notify retry --all --env prod', 'Everything, once the receiver is back.'],
    ],
  }).action(async (ids: string[], options: NotifyLettersOptions) => {
    const { retryLetters } = await import('../../notify/letters.ts');
    context.finish(await retryLetters(context, ids, options));
  });
  const drop = ofLetters('drop', {
    summary: 'forget what did not arrive',
    changesHere: true,
    description: 'Nobody will be told of it any more. What it was about is not touched.',
    examples: [['notify drop --all --env prod', 'Nobody needs to know any more.']],
  }).action(async (ids: string[], options: NotifyLettersOptions) => {
    const { dropLetters } = await import('../../notify/letters.ts');
    context.finish(await dropLetters(context, ids, options));
  });
  const test = environmentCommand('test', {
    summary: 'send a test message to each target',
    description: `A message that says it is a test goes to every target of the environment's file, whatever events it wants, once, from a
worker: from where all others are sent. Shows what came back.

Exit code 1: a target did not take it. 3: there is no such target.`,
    examples: [
      ['notify test --env prod', 'Does it arrive?'],
      ['notify test --env prod --target ops', 'At this target alone.'],
    ],
  })
    .option('--target <name...>', 'these targets alone')
    .option(...JSON_OPTION)
    .action(async (options: NotifyTestOptions) => {
      const { testNotify } = await import('../../notify/test.ts');
      context.finish(await testNotify(context, options));
    });
  return plainCommand('notify', {
    summary: 'whom the environment tells: try it, and what did not arrive',
    description:
      'Webhooks and programs that are told of operations and drift: docs/look-up/notifications.md. Without a further word: "notify list".',
    examples: [],
  })
    .addCommand(list, { isDefault: true })
    .addCommand(retry)
    .addCommand(drop)
    .addCommand(test);
}
