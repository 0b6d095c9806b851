/** Commands, their options and arguments, as completion needs them: what each value may be. Pure. */
import type { Argument, Command, Option } from 'commander';

/** `files`: completed by the shell. `none`: there is nothing to complete from. */
export type ValueKind =
  | 'environments'
  | 'services'
  | 'images'
  | 'phases'
  | 'versions'
  | 'files'
  | 'none'
  | readonly string[];

export interface CompletionOption {
  /** `--env`, `-e`. */
  names: string[];
  description: string;
  /** Absent: a switch. */
  value?: ValueKind;
  /** Comma separated. */
  list?: true;
}

export interface CompletionCommand {
  name: string;
  description: string;
  options: CompletionOption[];
  arguments: ValueKind[];
  /** The last argument may be repeated. */
  variadic?: true;
  commands: CompletionCommand[];
}

const BY_OPTION: Record<string, ValueKind> = {
  env: 'environments',
  only: 'services',
  skip: 'services',
  from: 'services',
  follow: 'services',
  image: 'images',
  phase: 'phases',
  to: 'versions',
};
const BY_ARGUMENT: Record<string, ValueKind> = {
  service: 'services',
  what: 'services',
  version: 'versions',
  other: 'versions',
  name: 'environments',
};
const LISTS = ['only', 'skip', 'from', 'phase'];

export function treeOf(command: Command): CompletionCommand {
  return {
    name: command.name(),
    description: command.summary() || command.description(),
    options: [...command.options.filter(({ hidden }) => !hidden).map(optionOf), HELP],
    arguments: command.registeredArguments.map(argumentOf),
    ...(command.registeredArguments.at(-1)?.variadic === true ? { variadic: true as const } : {}),
    commands: command.commands.map(treeOf),
  };
}

const HELP: CompletionOption = { names: ['--help', '-h'], description: 'explains the command' };

function optionOf(option: Option): CompletionOption {
  const { long, short, description, argChoices } = option;
  const name = long?.replace(/^--/, '') ?? '';
  const names = [long, short].flatMap((one) => one ?? []);
  if (!option.required && !option.optional) return { names, description };
  const value = argChoices ?? BY_OPTION[name] ?? (/<(file|folder|path)/.test(option.flags) ? 'files' : 'none');
  return { names, description, value, ...(LISTS.includes(name) ? { list: true as const } : {}) };
}

function argumentOf(argument: Argument): ValueKind {
  const name = argument.name();
  return argument.argChoices ?? BY_ARGUMENT[name] ?? (/file|folder/.test(name) ? 'files' : 'none');
}
