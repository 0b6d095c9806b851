/**
 * Output into a pipe is complete, however long it is and however slowly it is read; the command ends when the reader
 * closes the pipe.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/main.ts';
import { changesHere } from '../../src/cli/shared/command.ts';
import { plainStyle } from '../../src/cli/shared/terminal.ts';
import { readConfig } from '../../src/config.ts';
import { externalEnvironment, type Workspace, workspace } from './run-cli.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const COUNT = 80;

/** Each has forty problems, which makes more than a megabyte together. */
let place: Workspace;
before(async () => {
  place = await workspace();
  const wrong = Array.from({ length: 60 }, (_, at) => `${'unlike'.repeat(10)}${at}: 1`).join('\n');
  for (let at = 0; at < COUNT; at++) await place.environment(`e${at}`, externalEnvironment({ more: wrong }));
});
after(async () => {
  await place.remove();
});

interface Answer {
  environments: { name: string; problems: unknown[] }[];
}

/** @param command after `"$@"` stands for the command itself */
async function shell(command: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(
    'bash',
    ['-c', `set -o pipefail; ${command}`, 'sh', process.execPath, join(root, 'launcher.mjs')],
    {
      cwd: place.folder,
      env: {
        PATH: process.env['PATH'],
        HOME: place.folder,
        ANANTA_STATE_DIR: join(place.folder, 'state'),
        ANANTA_ENVIRONMENTS_DIR: place.folder,
      },
    },
  );
  const seen = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (seen.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (seen.stderr += text));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...seen };
}

describe('output', () => {
  const whole = (stdout: string): void => {
    assert.ok(stdout.length > 1024 * 1024, `${stdout.length} characters`);
    assert.ok(stdout.endsWith('\n'));
    const { environments } = JSON.parse(stdout) as Answer;
    assert.deepEqual([environments.length, environments.at(-1)?.problems.length], [COUNT, 41]);
  };

  test('read slowly, from the program itself', async () => {
    const run = place.start(['env', 'check', '--json']);
    run.pause();
    await sleep(2000);
    run.resume();
    const { code, stdout } = await run.done;
    assert.equal(code, 3);
    whole(stdout);
  });

  test('read slowly, through the launcher', async () => {
    const { code, stdout } = await shell('"$@" env check --json | (sleep 2; cat)');
    assert.equal(code, 3);
    whole(stdout);
  });

  test('errors are whole, too', async () => {
    const { stdout, code } = await shell('"$@" plan --env e0 2>&1 >/dev/null | (sleep 1; cat)');
    assert.equal(code, 3);
    assert.equal(stdout.split('\n').filter((line) => line.includes('unknown key')).length, 40);
  });

  test('a reader that has seen enough ends it without a word', async () => {
    const { code, stdout, stderr } = await shell('"$@" env check --json | head -c 100');
    assert.deepEqual([code, stdout.length, stderr], [0, 100, '']);
    const lines = await shell('"$@" --help | head -1');
    assert.deepEqual([lines.code, lines.stderr], [0, '']);
  });

  test('one that changes something by itself goes on to its end, unheard', async () => {
    const script = join(place.folder, 'change.mjs');
    const done = join(place.folder, 'done');
    await writeFile(
      script,
      `import { writeFileSync } from 'node:fs';
       import { setTimeout as sleep } from 'node:timers/promises';
       import { watchOutput } from ${JSON.stringify(join(root, 'src', 'process', 'output.ts'))};
       watchOutput(() => undefined, 1);
       for (let at = 0; at < 20; at += 1) { process.stdout.write('line\\n'.repeat(9000)); await sleep(10); }
       writeFileSync(${JSON.stringify(done)}, 'whole');`,
    );
    const { code, stderr } = await shell(`"$1" --disable-warning=ExperimentalWarning ${script} | head -1`);
    assert.deepEqual([code, stderr, await readFile(done, 'utf8')], [0, '', 'whole']);
  });

  test('these commands say of themselves that they change something in their own process', () => {
    const names = (command: Command, above: string): string[] =>
      command.commands.flatMap((child) => {
        const name = `${above}${child.name()}`;
        return [...(changesHere(child) ? [name] : []), ...names(child, `${name} `)];
      });
    const quiet = { write: () => true };
    const terminal = { live: false, interactive: false, style: plainStyle, errorStyle: plainStyle };
    const program = buildProgram(
      {
        config: readConfig(),
        terminal: { ...terminal, stdout: quiet, stderr: quiet },
        version: '0',
        finish: () => undefined,
        outputLost: 0,
        run: () => Promise.resolve(0),
      },
      () => undefined,
    );
    const expected = [
      ...['up', 'down', 'install', 'rebind', 'rbac apply', 'node import', 'charts lock', 'charts pull'],
      ...['charts prune', 'charts bundle', 'charts unbundle', 'secrets set', 'secrets import', 'vault unseal'],
      ...['vault root', 'worker', 'drift accept', 'drift unaccept', 'drift reset', 'drift pause', 'drift resume'],
      'freeze override',
    ];
    const marked = names(program, '');
    assert.deepEqual(
      expected.filter((name) => !marked.includes(name)),
      [],
    );
    assert.deepEqual(
      ['deploy', 'plan', 'drift run', 'secrets get', 'charts verify', 'rbac show'].filter((name) =>
        marked.includes(name),
      ),
      [],
    );
  });

  test('a full disk is a failure; without standard error a command goes on', {
    skip: !existsSync('/dev/full'),
  }, async () => {
    const full = await shell('"$@" env check e0 > /dev/full');
    assert.deepEqual([full.code, /cannot be written: .*ENOSPC/.test(full.stderr)], [1, true]);
    const mute = await shell('"$@" env check --json e0 2> /dev/full');
    assert.deepEqual([mute.code, (JSON.parse(mute.stdout) as Answer).environments.length], [3, 1]);
    const closed = await shell('"$@" env check --json e0 2>&-');
    assert.deepEqual([closed.code, (JSON.parse(closed.stdout) as Answer).environments.length], [3, 1]);
  });
});
