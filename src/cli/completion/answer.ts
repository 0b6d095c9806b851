/** What may stand where the cursor is. Pure: names come from whoever asks. */
import type { CompletionCommand, CompletionOption, ValueKind } from './tree.ts';

export interface Candidate {
  value: string;
  description: string;
}

/** Asked for only when they are needed. @param environment that the line names, or the default */
export interface Names {
  environments: () => Candidate[];
  services: (environment: string) => Promise<Candidate[]>;
  phases: (environment: string) => Promise<Candidate[]>;
  versions: (environment: string) => Candidate[];
}

/** @returns candidates that begin with the last word; `files` where the shell knows better */
export async function answer(
  program: CompletionCommand,
  words: readonly string[],
  names: Names,
  defaultEnvironment: string,
): Promise<Candidate[] | 'files'> {
  const { command, position, open, environment, current } = walked(program, words, defaultEnvironment);
  if (open?.value !== undefined) return valuesOf(open.value, open.list === true, current, names, environment);
  if (current.startsWith('-'))
    return fitting(
      command.options.flatMap(({ names: [value = ''], description }) => ({ value, description })),
      current,
    );
  if (position === 0 && command.commands.length > 0)
    return fitting(
      command.commands.map(({ name: value, description }) => ({ value, description })),
      current,
    );
  const last = command.variadic ? command.arguments.at(-1) : undefined;
  const kind = command.arguments[position] ?? last ?? 'none';
  return valuesOf(kind, false, current, names, environment);
}

interface Walk {
  command: CompletionCommand;
  /** Of the argument at the cursor. */
  position: number;
  /** Option whose value stands at the cursor. */
  open?: CompletionOption;
  environment: string;
  current: string;
}

function walked(program: CompletionCommand, given: readonly string[], defaultEnvironment: string): Walk {
  const [before, current] = atCursor(given);
  let command = program;
  let position = 0;
  let open: CompletionOption | undefined;
  let environment = defaultEnvironment;
  const keep = (value: string): void => {
    if (open?.value === 'environments') environment = value;
    open = undefined;
  };
  for (const word of before) {
    if (open) {
      keep(word);
      continue;
    }
    if (word.startsWith('-')) {
      const found = command.options.find(({ names }) => names.includes(word));
      if (found?.value !== undefined) open = found;
      continue;
    }
    const child = position === 0 ? command.commands.find(({ name }) => name === word) : undefined;
    if (child) command = child;
    else position += 1;
  }
  return { command, position, environment, current, ...(open ? { open } : {}) };
}

/** `--env=x` is `--env x`; bash takes the sign apart, too. */
function atCursor(given: readonly string[]): [before: string[], current: string] {
  const words = given.flatMap((word) => {
    const [, option = '', value = ''] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? [];
    return option === '' ? [word] : [option, value];
  });
  const current = words.at(-1) ?? '';
  // A sign of its own at the cursor: the value begins after it.
  return [words.slice(0, -1).filter((word) => word !== '='), current === '=' ? '' : current];
}

async function valuesOf(
  kind: ValueKind,
  list: boolean,
  current: string,
  names: Names,
  environment: string,
): Promise<Candidate[] | 'files'> {
  if (kind === 'files') return 'files';
  const all = await candidatesOf(kind, names, environment);
  const end = list ? current.lastIndexOf(',') + 1 : 0;
  const given = current.slice(0, end).split(',');
  return fitting(all, current.slice(end))
    .filter(({ value }) => !given.includes(value))
    .map(({ value, description }) => ({ value: `${current.slice(0, end)}${value}`, description }));
}

async function candidatesOf(
  kind: Exclude<ValueKind, 'files'>,
  names: Names,
  environment: string,
): Promise<Candidate[]> {
  switch (kind) {
    case 'none':
      return [];
    case 'environments':
      return names.environments();
    case 'services':
      return names.services(environment);
    case 'images':
      return (await names.services(environment)).map((one) => ({ ...one, value: `${one.value}=` }));
    case 'phases':
      return names.phases(environment);
    case 'versions':
      return names.versions(environment);
    default:
      return kind.map((value) => ({ value, description: '' }));
  }
}

function fitting(all: readonly Candidate[], begin: string): Candidate[] {
  return all.filter(({ value }) => value.startsWith(begin));
}
