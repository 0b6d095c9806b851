import { type Command, Option } from 'commander';
import { AFTER_FAILURE, type AfterFailure, LONGEST_EXTENSION_SECONDS } from '../../../contract/operations/steering.ts';
import { parseDuration } from '../../shared/arguments.ts';
import { type CommandText, environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { refused } from '../../shared/failure.ts';
import { parseReason } from '../../shared/reason.ts';
import type { SteerOptions } from '../../steering/run.ts';

interface WhyOptions extends SteerOptions {
  reason: string;
}

interface ExtendOptions extends SteerOptions {
  all?: true;
  reason?: string;
}

const ON_RECORD = `Answered at once, or refused with the reason (exit code 3). Who said it, when and why is kept in the operation's history,
its result and the audit trail. The Temporal UI can send the same: docs/look-up/steering.md.`;

export function pauseCommand(context: CliContext): Command {
  return steeringCommand('pause', {
    summary: 'hold the running operation at a safe point',
    description: `Helm at work ends its release, nothing further starts, what waits for its health goes on waiting. A paused operation
keeps the lock; it can be resumed, cancelled and superseded, and the time of --timeout stands still. Before the plan is made
it pauses right after.

${ON_RECORD}`,
    examples: [
      ['pause --env staging --reason "network maintenance"', 'Holds what runs on staging.'],
      ['pause --env staging --at api --reason "look at the database first"', 'Holds it before api begins.'],
      ['pause --env staging --at 9 --reason "look first"', 'Holds it before the first service of phase 9 begins.'],
    ],
  })
    .requiredOption('--reason <text>', 'for whoever reads this later', parseReason)
    .option('--at <service|phase>', 'not now, but when its turn has come')
    .action(async ({ at, reason, ...options }: WhyOptions & { at?: string }) => {
      const { runSteer } = await import('../../steering/run.ts');
      context.finish(await runSteer(context, options, { verb: 'pause', reason, ...(at === undefined ? {} : { at }) }));
    });
}

export function resumeCommand(context: CliContext): Command {
  return steeringCommand('resume', {
    summary: 'let a paused operation go on',
    description: `What was held starts. Where nothing is paused yet, a pause that was to come (pause --at) is taken back.

${ON_RECORD}`,
    examples: [['resume --env staging', 'Goes on.']],
  })
    .option('--reason <text>', 'for whoever reads this later', parseReason)
    .action(async ({ reason, ...options }: Partial<WhyOptions> & SteerOptions) => {
      const { runSteer } = await import('../../steering/run.ts');
      context.finish(await runSteer(context, options, { verb: 'resume', ...(reason === undefined ? {} : { reason }) }));
    });
}

export function retryCommand(context: CliContext): Command {
  return steeringCommand('retry', {
    summary: 'try a failed service again, within the running operation',
    description: `The service is applied and waited for again; what depends on it, and was not started for that, waits for it again. It can be
done as long as the operation runs: while others are at work, while it is paused, while it asks (onFailure: ask). A Job that
has failed runs once more. With onFailure: stop or rollback the stop is lifted while the service is tried again.

${ON_RECORD}`,
    examples: [['retry api --env staging', 'Tries api again.']],
  })
    .argument('<service>', 'a service that has failed')
    .option('--reason <text>', 'for whoever reads this later', parseReason)
    .action(async (service: string, { reason, ...options }: Partial<WhyOptions> & SteerOptions) => {
      const { runSteer } = await import('../../steering/run.ts');
      const why = reason === undefined ? {} : { reason };
      context.finish(await runSteer(context, options, { verb: 'retry', service, ...why }));
    });
}

export function skipCommand(context: CliContext): Command {
  return steeringCommand('skip', {
    summary: 'leave a service out of the running operation',
    description: `A service that has not started is not started; one at work ends at its next safe point (Helm ends its release, waiting for
health is given up); one that has failed does not make a failure of the operation any more. What depends on it is started
where the catalog says that it can do without it (optionalDependencies), and left out otherwise: the answer names both.
A platform version made so names what was skipped, by whom and why.

${ON_RECORD}`,
    examples: [['skip web --env staging --reason "known to be broken"', 'Goes on without web.']],
  })
    .argument('<service>', 'a service that is not healthy yet')
    .requiredOption('--reason <text>', 'for whoever reads this later', parseReason)
    .action(async (service: string, { reason, ...options }: WhyOptions) => {
      const { runSteer } = await import('../../steering/run.ts');
      context.finish(await runSteer(context, options, { verb: 'skip', service, reason }));
    });
}

export function extendCommand(context: CliContext): Command {
  return steeringCommand('extend', {
    summary: 'give a service more time to become healthy',
    description: `Adds to the health deadline of a service of the running operation, also of one that has not started; with --all, of every
service that has not ended. Time in which the cluster cannot be seen does not count anyway.

${ON_RECORD}`,
    examples: [
      ['extend api 10m --env staging', 'api gets ten minutes more.'],
      ['extend --all 5m --env staging', 'Everything gets five.'],
    ],
  })
    .argument('[service]', 'a service that has not ended; left out with --all')
    .argument('[duration]', 'as in 90s, 10m or 1h30m; a week at most')
    .option('--all', 'every service that has not ended')
    .option('--reason <text>', 'for whoever reads this later', parseReason)
    .action(async (first: string | undefined, second: string | undefined, given: ExtendOptions) => {
      const { all, reason, ...options } = given;
      const [service, duration, odd] = all ? [undefined, first, second] : [first, second, undefined];
      if (duration === undefined || odd !== undefined)
        throw refused('extend takes a service and a duration, or --all and a duration, as in: extend api 10m.');
      const seconds = parseDuration(duration);
      if (seconds > LONGEST_EXTENSION_SECONDS) throw refused('A health deadline is extended by a week at most.');
      const { runSteer } = await import('../../steering/run.ts');
      const what = { ...(service === undefined ? {} : { service }), ...(reason === undefined ? {} : { reason }) };
      context.finish(await runSteer(context, options, { verb: 'extend', seconds, ...what }));
    });
}

export function abandonCommand(context: CliContext): Command {
  return steeringCommand('abandon', {
    summary: 'let a failed service be, where the operation asks (onFailure: ask)',
    description: `Answers what "onFailure: ask" asks about a failed service: it stays failed, and what follows is what --then says, or else the
environment (ask.then). The other answers are retry and skip.

${ON_RECORD}`,
    examples: [['abandon api --env staging --reason "not today" --then continue', 'The other services go on.']],
  })
    .argument('<service>', 'a service that is asked about')
    .requiredOption('--reason <text>', 'for whoever reads this later', parseReason)
    .addOption(new Option('--then <what>', 'what follows').choices([...AFTER_FAILURE]))
    .action(async (service: string, { reason, then, ...options }: WhyOptions & { then?: AfterFailure }) => {
      const { runSteer } = await import('../../steering/run.ts');
      const after = then === undefined ? {} : { then };
      context.finish(await runSteer(context, options, { verb: 'abandon', service, reason, ...after }));
    });
}

function steeringCommand(name: string, text: CommandText): Command {
  return environmentCommand(name, { ...text, changesHere: true }).option(
    '--json',
    'one JSON object on standard output',
  );
}
