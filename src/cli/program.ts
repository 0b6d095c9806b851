/** What all commands have in common: the program above them, and the refusal of contradicting arguments. */
import { Command, type Option } from 'commander';
import { suggestion } from '../suggest.ts';
import { shortened } from './shared/arguments.ts';
import { changesHere } from './shared/command.ts';
import type { Attempt, CliContext } from './shared/context.ts';
import { refused } from './shared/failure.ts';
import { commandLine } from './shared/format.ts';

/** Commands under a title, in the order in which help lists them. */
export type CommandGroup = [title: string, commands: ((context: CliContext) => Command)[]];

/** @param onAttempt called with the command that is about to run */
export function programOf(
  groups: readonly CommandGroup[],
  context: CliContext,
  onAttempt: (attempt: Attempt) => void,
): Command {
  const program = new Command('ananta')
    .description(
      'Deploys a platform, the Ananta Platform or one of your own, on Kubernetes as one durable workflow: whatever dies on the way, the deployment goes on where it was.',
    )
    .version(context.version)
    // So that a command may have a --version of its own.
    .enablePositionalOptions()
    .usage('COMMAND [options]')
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.stdout.write(text),
      writeErr: (text) => context.terminal.stderr.write(text),
      // Errors are printed in one place: main.ts.
      outputError: () => undefined,
    })
    .addHelpText(
      'after',
      `
Start here:
  npm run deploy
      Deploys everything to the sandbox: a real Temporal, Kubernetes API and Vault on this
      machine, with simulated pods. Run again, it changes nothing.
  ${commandLine('COMMAND', '--help')}
      Explains one command.

Documentation: docs/look-up/cli.md`,
    )
    .argument('[command]')
    .allowExcessArguments()
    .action((name?: string) => {
      if (name !== undefined)
        throw refused(
          `There is no command "${shortened(name)}"${
            suggestion(
              name.slice(0, 100),
              program.commands.map((command) => command.name()),
            ) || '.'
          }`,
          commandLine('--help'),
        );
      program.outputHelp();
    });
  for (const [title, commands] of groups) {
    for (const make of commands) program.addCommand(inherit(program, make(context)).helpGroup(title));
  }
  program.hook('preSubcommand', (_program, command) => onAttempt({ command: command.name() }));
  program.hook('preAction', (_program, command) => {
    if (changesHere(command)) context.outputLost = undefined;
    const { env } = command.opts<{ env?: string | string[] }>();
    onAttempt({ command: fullName(command), ...(typeof env === 'string' ? { environment: env } : {}) });
  });
  return program;
}

function inherit(parent: Command, command: Command): Command {
  command.copyInheritedSettings(parent).allowExcessArguments(false);
  for (const option of command.options) refuseContradictions(command, option);
  for (const child of command.commands) inherit(command, child);
  return command;
}

/** One of two values would be dropped without a word. Lists are said several times, or with commas. */
function refuseContradictions(command: Command, option: Option): void {
  if (!option.required) return;
  const repeatable = option.parseArg?.name.startsWith('collect') === true;
  let given: string | undefined;
  command.on(`option:${option.name()}`, (value: string) => {
    if (value === '')
      throw refused(`--${option.name()} is empty: it needs a value.`, commandLine(command.name(), '--help'));
    if (value.includes('\0')) throw refused(`--${option.name()} holds a NUL byte.`);
    if (!repeatable && given !== undefined && given !== value)
      throw refused(`--${option.name()} is given twice: ${shortened(given)} and ${shortened(value)}.`);
    given = value;
  });
}

function fullName(command: Command): string {
  const names: string[] = [];
  for (let at = command; at.parent; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}
