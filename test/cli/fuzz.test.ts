/**
 * Whatever is typed behind a command is refused at once with a clear message: every option and argument gets odd
 * values.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Command } from 'commander';
import { readConfig } from '../../src/config.ts';
import { EXIT_CODES } from '../../src/contract/failures.ts';
import type { Attempt, CliContext } from '../../src/cli/shared/context.ts';
import { explain } from '../../src/cli/shared/explain.ts';
import { buildProgram } from '../../src/cli/main.ts';
import { plainStyle } from '../../src/cli/shared/terminal.ts';

let folder = '';
let written = '';
let context: CliContext;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-fuzz-'));
  // Commands whose arguments are accepted find an environment file that is not valid, so that nothing is ever started.
  await writeFile(join(folder, 'sandbox.yaml'), 'domain: x\n');
  written = await mkdtemp(join(tmpdir(), 'ananta-fuzz-'));
  await mkdir(join(written, 'a', 'b'), { recursive: true });
  const quiet = { write: () => true };
  context = {
    config: {
      ...readConfig({ HOME: folder, PATH: '' }),
      environmentsDir: folder,
      stateRoot: join(folder, 'state'),
      cacheDir: join(folder, 'cache'),
      kubeconfig: join(folder, 'none'),
    },
    terminal: {
      stdout: quiet,
      stderr: quiet,
      live: false,
      interactive: false,
      style: plainStyle,
      errorStyle: plainStyle,
    },
    version: '0',
    finish: () => undefined,
    outputLost: 0,
    run: () => Promise.resolve(0 as const),
  };
});
after(async () => {
  await rm(folder, { recursive: true });
  await rm(written, { recursive: true });
});

const ODD = [
  '',
  ' ',
  '\0',
  'a\nb',
  '-',
  '../../etc/passwd',
  'x'.repeat(100_000),
  '-1',
  '1e9',
  'NaN',
  '__proto__',
  'constructor',
  '%s%n',
  '=',
  ',',
  'a=',
  '=b',
  'a=b=c',
  '\u001b[31m',
  '💥',
  '$(id)',
  '99999999999h',
  'http://[',
  '0x10',
  'null',
];

/** These commands write a file without needing an environment: they write into a folder of the test. */
const WRITES = ['backup key'];

let next = 0;
/** Four odd values, other ones each time; what is endless is always among them. */
const some = (): string[] => ['x'.repeat(100_000), ...Array.from({ length: 4 }, () => ODD[next++ % ODD.length] ?? '')];

interface Ended {
  exitCode: number;
  message: string;
}

/** As main.ts does it. */
async function run(args: readonly string[]): Promise<Ended> {
  let attempt: Attempt = { command: args[0] ?? '' };
  try {
    await buildProgram(context, (next) => (attempt = next)).parseAsync([...args], { from: 'user' });
    return { exitCode: EXIT_CODES.done, message: '' };
  } catch (error) {
    return explain(error, attempt);
  }
}

async function check(args: readonly string[]): Promise<Ended> {
  const before = process.cpuUsage();
  const ended = await run(args);
  const { user, system } = process.cpuUsage(before);
  const what = JSON.stringify(args).slice(0, 200);
  assert.ok((user + system) / 1000 < 1000, `${what} took ${(user + system) / 1000} ms of a processor`);
  assert.doesNotMatch(ended.message, /Unexpected:|\n\s+at /, what);
  assert.ok(ended.message.length < 5000, `${what}: ${ended.message.length} characters`);
  return ended;
}

interface Leaf {
  path: string[];
  command: Command;
}

function leaves(command: Command, path: string[] = []): Leaf[] {
  const here = path.length === 0 ? [] : [...path];
  const own = command.commands.length === 0 ? [{ path: here, command }] : [];
  return [...own, ...command.commands.flatMap((child) => leaves(child, [...path, child.name()]))];
}

describe('odd arguments', () => {
  const idle = { write: () => true };
  const all = leaves(
    buildProgram(
      {
        config: readConfig(),
        terminal: {
          stdout: idle,
          stderr: idle,
          live: false,
          interactive: false,
          style: plainStyle,
          errorStyle: plainStyle,
        },
        version: '0',
        finish: () => undefined,
        outputLost: 0,
        run: () => Promise.resolve(0 as const),
      },
      () => undefined,
    ),
  );

  test('every command is tried', () => assert.ok(all.length > 40, `${all.length}`));

  for (const { path, command } of all) {
    test(path.join(' '), async () => {
      const required = command.registeredArguments.filter((argument) => argument.required).map(() => 'x');
      for (const option of command.options.filter(({ required: valued }) => valued)) {
        const flag = option.long ?? option.short ?? '';
        // For each option other odd values are taken, so that together all are tried.
        for (const odd of some())
          await check([
            ...path,
            ...required,
            flag,
            WRITES.includes(path.join(' ')) ? join(written, 'a', 'b', odd) : odd,
          ]);
        const twice = await check([...path, ...required, flag, 'a', flag, 'b']);
        assert.equal(twice.exitCode, EXIT_CODES.refused, `${flag} twice`);
        assert.equal(
          (await check([...path, ...required, flag])).exitCode,
          EXIT_CODES.refused,
          `${flag} without a value`,
        );
      }
      for (const odd of command.registeredArguments.length === 0 ? [] : some())
        await check([...path, ...command.registeredArguments.map(() => odd)]);
      assert.equal((await check([...path, ...required, '--no-such-option'])).exitCode, EXIT_CODES.refused);
      if (command.registeredArguments.every(({ variadic }) => !variadic))
        assert.equal(
          (await check([...path, ...command.registeredArguments.map(() => 'x'), 'too', 'much'])).exitCode,
          EXIT_CODES.refused,
        );
    });
  }

  const COMMANDS: [args: string[], says: RegExp][] = [
    [['x'.repeat(100_000)], /There is no command "x{120}…"/],
    [['deploy', '--env', 'a', '--env', 'b'], /--env is given twice: a and b/],
    [['deploy', '--timeout', '5m', '--timeout', '10m'], /--timeout is given twice: 5m and 10m/],
    [['deploy', '--env', ''], /--env is empty: it needs a value/],
    [['deploy', '--env', 'a\0b'], /--env holds a NUL byte/],
    [['deploy', '--image', 'dashboard=1', '--image', 'dashboard=2'], /dashboard is given twice, with 1 and 2/],
    [['deploy', '--timeout', '99999999999h'], /is longer than a year/],
    [['drift', 'run', '--repair', '--report'], /cannot be used with/],
    [['drift', 'runs', '--limit', '0'], /--limit 0: expected a whole number from 1 to 1000/],
    [['deploy', 'sandbox'], /too many arguments/i],
    [['deploy', '--env'], /argument missing/],
  ];
  for (const [args, says] of COMMANDS) {
    test(JSON.stringify(args).slice(0, 80), async () => {
      const { exitCode, message } = await check(args);
      assert.equal(exitCode, EXIT_CODES.refused);
      assert.match(message, says);
    });
  }

  test('the same value twice is no contradiction, and lists may be said several times', async () => {
    for (const args of [
      ['status', '--env', 'sandbox', '--env', 'sandbox'],
      ['plan', '--only', 'web', '--only', 'api'],
    ])
      assert.match((await check(args)).message, /^sandbox\.yaml: /);
  });

  test('nothing was made', async () => assert.deepEqual(await readdir(folder), ['sandbox.yaml']));
});

describe('image references of the command line', () => {
  const CASES: [image: string, says: RegExp | undefined][] = [
    ['reports-api=_abc', undefined],
    ['reports-api=abc-', undefined],
    ['reports-api=abc.', undefined],
    [`reports-api=${'a'.repeat(70)}`, undefined],
    [`reports-api=${'a'.repeat(128)}`, undefined],
    [`reports-api=sha256:${'0a'.repeat(32)}`, undefined],
    ['reports-api=1.4.2', undefined],
    [`reports-api=${'a'.repeat(129)}`, /is not an image tag/],
    ['reports-api=-abc', /is not an image tag/],
    ['reports-api=.abc', /is not an image tag/],
    ['reports-api=a b', /is not an image tag/],
    ['reports-api=a+b', /is not an image tag/],
    ['reports-api=ü', /is not an image tag/],
    ['reports-api=sha256:abc', /is not an image tag/],
    [`reports-api=sha256:${'0A'.repeat(32)}`, /is not an image tag/],
    [`reports-api=sha512:${'0a'.repeat(64)}`, /is not an image tag/],
    ['reports-api=REGISTRY/Reports:1', /is not an image tag/],
    ['reports-api=ghcr.io/acme/reports:1', /is not an image tag/],
    ['reports-api=1@sha256:abc', /is not an image tag/],
    ['reports-api=', /is not SERVICE=TAG/],
    ['=1', /is not SERVICE=TAG/],
    ['reports-api', /is not SERVICE=TAG/],
  ];
  for (const [image, says] of CASES) {
    test(image.slice(0, 60), async () => {
      for (const command of ['deploy', 'plan']) {
        const { exitCode, message } = await check([command, '--image', image]);
        assert.equal(exitCode, EXIT_CODES.refused);
        // A valid value is accepted, and the command fails at the environment file.
        assert.match(message, says ?? /^sandbox\.yaml: /);
      }
    });
  }

  const REFERENCES: [image: string, says: RegExp | undefined][] = [
    ['registry.example:5000/ananta/deploy:1', undefined],
    [`ananta@sha256:${'0'.repeat(64)}`, undefined],
    ['Registry/Ananta:1', /Registry/],
    ['ananta', /needs a tag or a digest|NAME:TAG/],
    ['ananta@sha256:abc', /NAME:TAG|digest/],
    ['https://registry.example/ananta:1', /NAME:TAG|no scheme/],
    ['a b:1', /NAME:TAG|no part/],
  ];
  for (const [image, says] of REFERENCES) {
    test(`install: ${image.slice(0, 50)}`, async () => {
      const { exitCode, message } = await check(['install', '--env', 'sandbox', '--image', image]);
      assert.equal(exitCode, EXIT_CODES.refused);
      assert.match(message, says ?? /^sandbox\.yaml: /);
    });
  }
});
