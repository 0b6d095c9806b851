/**
 * Every command of README.md and docs/ is one of the program: its options, services, environments and exit codes exist.
 */
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import { loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import { EXIT_CODES } from '../../src/contract/failures.ts';
import { buildProgram } from '../../src/cli/main.ts';
import { plainStyle } from '../../src/cli/shared/terminal.ts';

const { repoRoot } = readConfig();
const read = (file: string): string => readFileSync(join(repoRoot, file), 'utf8');
const PAGES = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: repoRoot }).sort()];
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const services = loadCatalog().services.map(({ name }) => name);
/** Beside those of the repository: what pages invent, and one that is mistyped on purpose. */
const ENVIRONMENTS = [
  ...readdirSync(join(repoRoot, 'environments')).flatMap((file) => /^([a-z].*)\.yaml$/.exec(file)?.[1] ?? []),
  'demo',
  'shop',
  'rehearsal',
  'green',
  'stagin',
  'NAME',
];
/** What stands for something else. */
const PLACEHOLDER = /^([A-Z][A-Z_]*|…|\.\.\.|[a-z]\d[a-z]\d[a-z]\d)$/;

interface Documented {
  page: string;
  line: string;
}

function commandsOf(page: string): Documented[] {
  const text = read(page).replace(/\\\n\s*/g, ' ');
  const found =
    text.match(/(?:npm run(?: --silent)? [a-z][a-z:]*(?: -- [^`\n]*)?|(?<=[`$] ?)ananta [a-z][^`\n]*)/g) ?? [];
  return found.map((line) => ({ page, line }));
}

/** The words of one command: what comes behind it (a comment, a pipe, words in brackets) is for the reader. */
function words(line: string): string[] {
  const before = line.replace(/\$\{[^}]*\}/g, '').split(/\s+#|\s\||\s<|\s&&|\s>|\s\(|;\s|, |\s→/)[0] ?? '';
  return [...before.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );
}

/** @returns arguments of the program; undefined for a script of the repository that is none of its commands */
function argumentsOf({ page, line }: Documented): string[] | undefined {
  const [first, ...rest] = words(line);
  if (first === 'ananta') return rest;
  const [, ...named] = rest.filter((word) => word !== '--silent');
  const [script = '', separator, ...more] = named;
  const runs = scripts[script];
  assert.ok(runs !== undefined, `${page}: there is no script "${script}": ${line}`);
  assert.ok(separator === undefined || separator === '--', `${page}: arguments come behind --: ${line}`);
  const command = /^node launcher\.mjs(?: ([a-z]+))?$/.exec(runs);
  return command === null ? undefined : [...(command[1] === undefined ? [] : [command[1]]), ...more];
}

interface Ran {
  name: string;
  options: Record<string, unknown>;
  /** Values of arguments that are called `service`. */
  services: string[];
}

/** The real program, whose commands do nothing. */
function programOf(): { program: Command; ran: () => Ran | undefined } {
  let ran: Ran | undefined;
  const quiet = { write: () => true };
  const terminal = {
    stdout: quiet,
    stderr: quiet,
    live: false,
    interactive: false,
    style: plainStyle,
    errorStyle: plainStyle,
  };
  const program = buildProgram(
    {
      config: readConfig(),
      terminal,
      version: '0',
      finish: () => undefined,
      outputLost: 0,
      run: () => Promise.resolve(0 as const),
    },
    () => undefined,
  );
  const mute = (command: Command): void => {
    if (command.commands.length === 0)
      command.action((..._args: unknown[]) => {
        ran = { name: command.name(), options: command.opts(), services: servicesGiven(command) };
      });
    command.commands.forEach(mute);
  };
  program.commands.forEach((command) => {
    if (command.commands.length > 0)
      command.action(() => {
        ran = { name: command.name(), options: command.opts(), services: servicesGiven(command) };
      });
    mute(command);
  });
  return { program, ran: () => ran };
}

function servicesGiven({ registeredArguments, processedArgs }: Command): string[] {
  return registeredArguments.flatMap((argument, index) => {
    const value: unknown = argument.name() === 'service' ? processedArgs[index] : undefined;
    return typeof value === 'string' ? [value] : [];
  });
}

function check({ page, line }: Documented, args: readonly string[]): void {
  const where = `${page}: ${line}`;
  const { program, ran } = programOf();
  if (PLACEHOLDER.test(args[0] ?? '')) return;
  // A placeholder stands for a service, a file, a number: any value of the right form does.
  const given = args.map((word) =>
    word === 'N'
      ? '1'
      : word
          .replace('NAME:TAG', 'r/n:1')
          .replace('SERVICE=TAG', 'dashboard=1')
          .replace(/^SERVICE$/, 'dashboard'),
  );
  try {
    program.parse(given, { from: 'user' });
  } catch (error) {
    // A command that is only named, in the middle of a sentence.
    const named = given.length <= 2 && /^commander\.missing/.test((error as { code?: string }).code ?? '');
    const { code, message } = error as { code?: string; message: string };
    assert.ok(
      named || code === 'commander.helpDisplayed' || code === 'commander.version' || code === 'commander.help',
      `${where}\n${message}`,
    );
  }
  const options = ran()?.options ?? {};
  const {
    env,
    only = [],
    skip = [],
    from = [],
    image = {},
    to,
  } = options as {
    env?: string | string[];
    only?: string[];
    skip?: string[];
    from?: string[] | string;
    to?: string;
    image?: unknown;
  };
  // A promotion goes from one environment to another; an adoption reads a file, or the cluster.
  const promoted = typeof from === 'string' && to !== undefined ? [from, to] : [];
  for (const name of [...(env === undefined ? [] : [env].flat()), ...promoted])
    assert.ok(ENVIRONMENTS.includes(name), `${where}\nthere is no environment "${name}"`);
  const named = [
    ...(ran()?.services ?? []),
    ...only,
    ...skip,
    ...(typeof from === 'string' ? [] : from),
    ...(typeof image === 'object' && image !== null ? Object.keys(image) : []),
  ];
  for (const service of named)
    assert.ok(
      services.includes(service) || /^\d+$/.test(service) || PLACEHOLDER.test(service) || isStep(service),
      `${where}\nthere is no service "${service}"`,
    );
}

/** Images are named by release, too. */
function isStep(name: string): boolean {
  return loadCatalog().services.some(({ before, after }) => [...before, ...after].some((step) => step.name === name));
}

describe('what the pages say', () => {
  const all = PAGES.flatMap(commandsOf);

  test('is found at all', () => {
    assert.ok(all.length > 150, `${all.length} commands`);
    for (const command of [
      'deploy',
      'plan',
      'drift',
      'rollback',
      'secrets',
      'env',
      'vault',
      'charts',
      'destroy',
      'install',
    ])
      assert.ok(
        all.some((documented) => argumentsOf(documented)?.[0] === command),
        command,
      );
  });

  for (const page of PAGES) {
    test(page, () => {
      for (const documented of commandsOf(page)) {
        const args = argumentsOf(documented);
        if (args !== undefined) check(documented, args);
      }
    });
  }

  test('services behind --only, --skip and --from of texts without a command', () => {
    for (const page of PAGES) {
      for (const [text, names = ''] of read(page).matchAll(/--(?:only|skip) ([a-z][a-z0-9,-]*)/g))
        for (const name of names.split(',')) assert.ok(services.includes(name), `${page}: ${text}`);
    }
  });

  test('exit codes are those of the program, each in the table, drift among those that say 2', () => {
    const rows = new Map(
      [...read('docs/look-up/cli.md').matchAll(/^\| (\d) \| (\w+) \| (.*) \|$/gm)].map(([, code, name, means]) => [
        Number(code),
        { name, means },
      ]),
    );
    assert.deepEqual(Object.fromEntries([...rows].map(([code, { name }]) => [name, code])), { ...EXIT_CODES });
    assert.match(
      rows.get(EXIT_CODES.changes)?.means ?? '',
      /`plan`.*`drift`.*`install --dry-run`.*`charts verify`.*`vault unseal`/,
    );
    const known = new Set<number>(Object.values(EXIT_CODES));
    for (const page of PAGES)
      for (const [text, codes = ''] of read(page).matchAll(/[Ee]xit codes? (\d(?:(?:, | and | or )\d)*)/g))
        for (const code of codes.match(/\d/g) ?? []) assert.ok(known.has(Number(code)), `${page}: ${text}`);
  });
});
