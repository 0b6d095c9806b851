/** What all commands have in common: the `--env` option and the form of their help. */
import { Command } from 'commander';
import { DEFAULT_ENVIRONMENT } from './default-environment.ts';
import { commandLine } from './format.ts';

export { DEFAULT_ENVIRONMENT };

export interface CommandText {
  /** One line for the list of commands. */
  summary: string;
  /** For someone who has never seen the project. */
  description: string;
  /** Arguments after the command's name, with what they do. */
  examples: [args: string, does: string][];
  /** What it changes it changes in this very process: it is not left half done because nobody reads on. */
  changesHere?: true;
}

const CHANGES_HERE = new WeakSet<Command>();

/** Whether the command itself is what changes something, and no workflow that goes on without it. */
export function changesHere(command: Command): boolean {
  return CHANGES_HERE.has(command);
}

/** For `requiredOption`, of a command that is about one environment and never guesses which. */
export const REQUIRED_ENVIRONMENT = [
  '-e, --env <name>',
  'environment: the name of a file in environments/, without .yaml; there is no default',
] as const;

/** A command with `--env`, a description and at least one example. */
export function environmentCommand(name: string, text: CommandText): Command {
  return plainCommand(name, text).option(
    '-e, --env <name>',
    'environment: the name of a file in environments/, without .yaml',
    DEFAULT_ENVIRONMENT,
  );
}

/** A command that only groups others. */
export function plainCommand(name: string, text: CommandText): Command {
  const { summary, description, examples } = text;
  const lines = examples.map(([args, does]) => `  ${commandLine(args)}\n      ${does}`);
  const command = new Command(name)
    .summary(summary)
    .description(flowing(description))
    .addHelpText(
      'after',
      lines.length === 0 ? '' : `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.join('\n')}`,
    );
  if (text.changesHere) CHANGES_HERE.add(command);
  return command;
}

/** Lines that are broken only for the source's sake run on; blank lines and indented ones stay. */
function flowing(text: string): string {
  return /\n /.test(text) ? text : text.replace(/([^\n])\n(?!\n)/g, '$1 ');
}
