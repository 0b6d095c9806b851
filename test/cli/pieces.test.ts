import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Interrupted, unlessInterrupted } from '../../src/cli/deploy/interrupt.ts';
import { CatalogError } from '../../src/catalog/problems.ts';
import { DeploymentRunningError } from '../../src/clients/temporal/deployments.ts';
import { ConfigurationError } from '../../src/environment/errors.ts';
import { NotRunningError } from '../../src/environment/connections.ts';
import { explain } from '../../src/cli/shared/explain.ts';
import { failed, refused } from '../../src/cli/shared/failure.ts';
import { followFile, lastLines } from '../../src/cli/look/tail.ts';
import { writeReport } from '../../src/cli/shared/report-file.ts';
import { plainStyle, written } from '../../src/cli/shared/terminal.ts';
import { EXIT_CODES } from '../../src/contract/failures.ts';

describe('errors to text', () => {
  const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
  const CASES: [what: string, error: unknown, code: number, says: RegExp][] = [
    [
      'refused',
      refused('no', 'do this'),
      EXIT_CODES.refused,
      /^deploy --env staging: refused, nothing was touched\n {2}no\nNext: do this$/,
    ],
    ['failed', failed('broke'), EXIT_CODES.failed, /^deploy --env staging: failed\n {2}broke$/],
    [
      'configuration',
      new ConfigurationError([{ file: 'x.yaml', field: 'a', message: 'b' }]),
      EXIT_CODES.refused,
      /x\.yaml: a: b/,
    ],
    [
      'catalog',
      new CatalogError([{ file: 'f', field: 'g', message: 'h' }]),
      EXIT_CODES.refused,
      /The catalog has a problem/,
    ],
    ['not running', new NotRunningError('not running'), EXIT_CODES.refused, /not running/],
    [
      'engine',
      named('ServiceError', '14 UNAVAILABLE'),
      EXIT_CODES.failed,
      /engine \(Temporal\) did not answer[^]*ananta -- up --env staging/,
    ],
    [
      'lock',
      new DeploymentRunningError('A deployment is running', undefined),
      EXIT_CODES.refused,
      /holds the lock[^]*ananta -- attach --env staging/,
    ],
    ['Ctrl-C before the start', new Interrupted('SIGINT'), EXIT_CODES.cancelled, /Interrupted \(SIGINT\)/],
    [
      'unexpected: with its stack and causes',
      new Error('odd', { cause: new Error('deep') }),
      EXIT_CODES.failed,
      /Unexpected: Error: odd\n[^]*because: deep/,
    ],
    ['not even an error', 'text', EXIT_CODES.failed, /text/],
  ];
  for (const [what, error, code, says] of CASES) {
    test(what, () => {
      const explanation = explain(error, { command: 'deploy', environment: 'staging' });
      assert.equal(explanation.exitCode, code);
      assert.match(explanation.lines(plainStyle).join('\n'), says);
    });
  }
});

describe('interrupts', () => {
  test('the work is given a moment to end in order', async () => {
    const controller = new AbortController();
    let ended = false;
    const work = sleep(60).then(() => (ended = true));
    setTimeout(() => controller.abort(new Interrupted('SIGTERM')), 10);
    await assert.rejects(unlessInterrupted(controller.signal, work, 60_000), {
      name: 'Interrupted',
      message: 'SIGTERM',
    });
    assert.equal(ended, true);
  });
  test('work that does not end is left', async () => {
    const controller = new AbortController();
    controller.abort(new Interrupted('SIGTERM'));
    await assert.rejects(unlessInterrupted(controller.signal, new Promise(() => undefined), 20), {
      name: 'Interrupted',
    });
  });
  test('what fails because of the signal fails for its reason', async () => {
    const controller = new AbortController();
    const work = sleep(20).then(() => Promise.reject(new Error('socket closed')));
    controller.abort(new Interrupted('SIGHUP'));
    await assert.rejects(unlessInterrupted(controller.signal, work), { name: 'Interrupted' });
  });
  test('without a signal the result and the error pass through', async () => {
    const { signal } = new AbortController();
    assert.equal(await unlessInterrupted(signal, Promise.resolve(7)), 7);
    await assert.rejects(unlessInterrupted(signal, Promise.reject(new Error('own'))), /own/);
  });
});

describe('the end of a log', () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'ananta-tail-'))));
  after(() => rm(folder, { recursive: true, force: true }));

  test('last lines, also of a file larger than a chunk', async () => {
    const file = join(folder, 'long.log');
    await writeFile(file, Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join(''));
    assert.equal(await lastLines(file, 2), 'line 19998\nline 19999\n');
    assert.equal((await lastLines(file, 15_000)).split('\n')[0], 'line 5000');
    assert.equal(await lastLines(file, 0), '');
  });
  test('a last line without a line break, and an empty file', async () => {
    const file = join(folder, 'short.log');
    await writeFile(file, 'one\ntwo');
    assert.equal(await lastLines(file, 5), 'one\ntwo\n');
    await writeFile(file, '');
    assert.equal(await lastLines(file, 5), '');
  });
  test('follows no faster than it is read, and cuts no character in two', async () => {
    const file = join(folder, 'fast.log');
    await writeFile(file, '');
    const controller = new AbortController();
    const pieces: string[] = [];
    let taken = (): void => undefined;
    let asked = Promise.withResolvers<undefined>();
    const done = followFile(
      file,
      (more) => {
        pieces.push(more);
        asked.resolve(undefined);
        return new Promise<void>((resolve) => (taken = resolve));
      },
      controller.signal,
    );
    // Three bytes each, so that 64 KiB end within a character.
    const whole = '…'.repeat(60_000);
    await appendFile(file, whole);
    for (let read = 0; read < whole.length; read = pieces.join('').length) {
      await asked.promise;
      const count = pieces.length;
      // The next piece is not read before the reader has taken the one before, even when it is there.
      await sleep(20);
      assert.equal(pieces.length, count);
      asked = Promise.withResolvers();
      taken();
      if (pieces.join('').length >= whole.length) break;
    }
    controller.abort();
    taken();
    await done;
    assert.equal(pieces.join(''), whole);
    assert.ok(pieces.length > 2 && pieces.every((piece) => piece.length <= 22_000), `${pieces.length} pieces`);
  });
  test('follows what is appended, also after the file was cut', async () => {
    const file = join(folder, 'growing.log');
    await writeFile(file, 'old\n');
    const controller = new AbortController();
    let text = '';
    const done = followFile(file, (more) => (text += more), controller.signal);
    await appendFile(file, 'new\n');
    for (let waited = 0; text !== 'new\n' && waited < 60_000; waited += 50) await sleep(50);
    await truncate(file, 0);
    await sleep(400);
    await appendFile(file, 'again\n');
    for (let waited = 0; text !== 'new\nagain\n' && waited < 60_000; waited += 50) await sleep(50);
    controller.abort();
    await done;
    assert.equal(text, 'new\nagain\n');
  });
});

describe('a slow reader', () => {
  const ended = async (promise: Promise<void>): Promise<boolean> =>
    Promise.race([promise.then(() => true), sleep(20).then(() => false)]);

  test('is waited for when it has not taken what was written', async () => {
    const pipe = new PassThrough({ highWaterMark: 10 });
    assert.equal(await ended(written(pipe, 'short')), true);
    const long = written(pipe, 'longer than that');
    assert.equal(await ended(long), false);
    pipe.resume();
    await long;
    assert.deepEqual([pipe.listenerCount('drain'), pipe.listenerCount('close')], [0, 0]);
  });

  test('that has gone, or is given up, is not', async () => {
    const pipe = new PassThrough({ highWaterMark: 1 });
    const stop = new AbortController();
    const given = written(pipe, 'some text', stop.signal);
    stop.abort();
    await given;
    const gone = written(pipe, 'some text');
    pipe.destroy();
    await gone;
  });
});

describe('a report', () => {
  test('goes to the file that was asked for, or has the name that it is given, or to standard output', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'report-'));
    try {
      let said = '';
      const output = { write: (text: string) => (said += text) };
      const file = join(folder, 'asked.html');
      await writeReport(output, file, 'unused.html', '<p>');
      assert.deepEqual([said, await readFile(file, 'utf8')], [`${file}\n`, '<p>']);
      said = '';
      await writeReport(output, undefined, join(folder, 'named.html'), '<b>');
      assert.equal(await readFile(said.trimEnd(), 'utf8'), '<b>');
      said = '';
      await writeReport(output, '-', 'unused.html', '<i>');
      assert.equal(said, '<i>');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
