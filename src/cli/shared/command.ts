/** What all commands have in common: the `--env` option and the form of their help. */
import { Command } from 'commander';
import { commandLine } from './format.ts';

export const DEFAULT_ENVIRONMENT = 'sandbox';

export interface CommandText {
  /** One line for the list of commands. */
  summary: string;
  /** For someone who has never seen the project. */
  description: string;
  /** Arguments after the command's name, with what they do. */
  examples: [args: string, does: string][];
}

/** A command with `--env`, a description and at least one example. */
export function environmentCommand(name: string, text: CommandText): Command {
  return plainCommand(name, text).option(
    '-e, --env <name>',
    'environment: the name of a file in environments/, without .yaml',
    DEFAULT_ENVIRONMENT,
  );
}

/** A command that only groups others. */
export function plainCommand(name: string, { summary, description, examples }: CommandText): Command {
  const lines = examples.map(([args, does]) => `  ${commandLine(args)}\n      ${does}`);
  return new Command(name)
    .summary(summary)
    .description(flowing(description))
    .addHelpText(
      'after',
      lines.length === 0 ? '' : `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.join('\n')}`,
    );
}

/** Lines that are broken only for the source's sake run on; blank lines and indented ones stay. */
function flowing(text: string): string {
  return /\n /.test(text) ? text : text.replace(/([^\n])\n(?!\n)/g, '$1 ');
}
