import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, mock, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type Client, ScheduleAlreadyRunning } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { waitUntil } from '../../../../bootstrap/process/wait.ts';
import { createCodec, keyIdOf, UnreadableHistoryError } from '../../../../src/clients/temporal/encryption/codec.ts';
import { forgivingCodec } from '../../../../src/clients/temporal/encryption/readable.ts';
import { forgetKey, refuseDifferences } from '../../../../src/clients/temporal/encryption/record.ts';
import {
  checkOf,
  type KeyRing,
  replacedAt,
  ringSchema,
  withNewKey,
  writingKey,
} from '../../../../src/clients/temporal/encryption/ring.ts';
import { type KeySource, openKeySource, readRing } from '../../../../src/clients/temporal/encryption/source.ts';
import { HistoryKeysError } from '../../../../src/clients/temporal/errors.ts';
import { openHistories } from '../../../../src/worker/histories.ts';

const NOON = Date.parse('2026-11-30T12:00:00Z');
const HOUR = 3_600_000;

const sourceOf = (ring: KeyRing): KeySource => ({ current: () => ring, refresh: () => Promise.resolve() });
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(payload as Payload);
const first = withNewKey(undefined, NOON, NOON);

/** An engine that keeps one schedule. @param describe what it says of it, or throws */
function engineWith(describe: () => unknown, update: (value: unknown) => void = () => undefined): Client {
  const handle = {
    describe: () => Promise.resolve().then(() => ({ action: { args: [describe()] } })),
    update: (change: () => { action: { args: unknown[] } }) =>
      Promise.resolve().then(() => update(change().action.args[0])),
  };
  return {
    options: { loadedDataConverter: { payloadCodecs: [] } },
    schedule: {
      getHandle: () => handle,
      create: () => Promise.reject(new ScheduleAlreadyRunning('there is one', 'keys')),
    },
  } as unknown as Client;
}

describe('keys of histories', () => {
  test('a new one writes from its time on, and the one before it until then', () => {
    const { ring, id } = withNewKey(first.ring, NOON + HOUR, NOON + 2 * HOUR);
    assert.equal(writingKey(ring, NOON + 2 * HOUR - 1).id, first.id);
    assert.equal(writingKey(ring, NOON + 2 * HOUR).id, id);
    assert.equal(replacedAt(ring, first.id), NOON + 2 * HOUR);
    assert.equal(replacedAt(ring, id), undefined);
    assert.deepEqual(ringSchema.parse(JSON.parse(JSON.stringify(ring))), ring);
  });

  test('before any of them writes, the first one does', () => {
    assert.equal(writingKey(first.ring, NOON - HOUR).id, first.id);
  });

  test('two of the same second are two keys', () => {
    const { ring, id } = withNewKey(first.ring, NOON, NOON);
    assert.notEqual(id, first.id);
    assert.notEqual(ring.keys[0]?.key, ring.keys[1]?.key);
  });

  test('a check value tells keys apart and does not tell the key', () => {
    const [one] = first.ring.keys;
    const [, other] = withNewKey(first.ring, NOON, NOON).ring.keys;
    assert.ok(one && other);
    assert.notEqual(checkOf(one), checkOf(other));
    assert.ok(!checkOf(one).includes(one.key.slice(0, 6)));
  });
});

describe('the codec', () => {
  const codec = createCodec({ keys: sourceOf(first.ring), encrypts: true, environment: 'prod' });

  test('encrypts the whole payload, with the name of its key, and opens it again', async () => {
    const value = { service: 'payments', steps: [1, 2] };
    const [sealed] = await codec.encode([payloadOf(value)]);
    assert.ok(sealed);
    assert.equal(keyIdOf(sealed), first.id);
    assert.equal(Buffer.from(sealed.metadata?.['encoding'] ?? []).toString(), 'binary/encrypted');
    assert.ok(!Buffer.from(sealed.data ?? []).includes('payments'));
    assert.deepEqual(valueOf((await codec.decode([sealed]))[0]), value);
  });

  test('never twice the same, and nothing twice', async () => {
    const [[one], [other]] = [await codec.encode([payloadOf('x')]), await codec.encode([payloadOf('x')])];
    assert.notDeepEqual(one?.data, other?.data);
    assert.deepEqual(await codec.encode([one as Payload]), [one]);
  });

  test('plain payloads pass when they are read: older histories, and signals from the Temporal UI', async () => {
    assert.deepEqual(await codec.decode([payloadOf({ plain: true })]), [payloadOf({ plain: true })]);
  });

  test('opens what an older key has encrypted, and what a newer one has once that is here', async () => {
    const [old] = await codec.encode([payloadOf('old')]);
    const rotated = withNewKey(first.ring, NOON, NOON).ring;
    const [young] = await createCodec({ keys: sourceOf(rotated), encrypts: true }).encode([payloadOf('young')]);
    let ring = first.ring;
    const waiting = createCodec({
      keys: { current: () => ring, refresh: () => Promise.resolve(void (ring = rotated)) },
      encrypts: true,
    });
    assert.deepEqual((await waiting.decode([old, young] as Payload[])).map(valueOf), ['old', 'young']);
  });

  test('with mode decrypt writes plain and still reads', async () => {
    const [sealed] = await codec.encode([payloadOf('x')]);
    const reading = createCodec({ keys: sourceOf(first.ring), encrypts: false });
    assert.deepEqual(await reading.encode([payloadOf('y')]), [payloadOf('y')]);
    assert.equal(valueOf((await reading.decode([sealed as Payload]))[0]), 'x');
  });

  test('says which key is missing, where none is here, and where one is another or the payload was changed', async () => {
    const [sealed] = await codec.encode([payloadOf('x')]);
    assert.ok(sealed);
    const foreign = withNewKey(undefined, NOON, NOON);
    const cases: [RegExp, Payload, KeyRing | undefined][] = [
      [/is not among the keys of environment "stage" here/, sealed, foreign.ring],
      [/there are no keys of environment "stage" here/, sealed, undefined],
      [/does not open it/, sealed, { keys: foreign.ring.keys.map((key) => ({ ...key, id: first.id })) }],
      [/does not open it/, { ...sealed, data: Buffer.from(sealed.data ?? []).fill(0, 14, 16) }, first.ring],
      [/does not open it/, { ...sealed, data: Buffer.from('short') }, first.ring],
    ];
    for (const [words, payload, ring] of cases) {
      const told: string[] = [];
      const reading = createCodec({
        keys: ring && sourceOf(ring),
        encrypts: true,
        environment: 'stage',
        onUnreadable: ({ keyId }) => told.push(keyId),
      });
      await assert.rejects(reading.decode([payload]), (error) => {
        assert.ok(error instanceof UnreadableHistoryError);
        assert.match(error.message, words);
        assert.equal(error.exitCode, 3);
        return true;
      });
      assert.deepEqual(told, [first.id]);
      assert.deepEqual(valueOf((await forgivingCodec(reading).decode([payload]))[0]), { unreadable: first.id });
    }
  });
});

describe('where keys come from', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ananta-keys-'));
  });
  after(() => rm(folder, { recursive: true }));
  const settings = (name: string, keysCommand?: string[]) => ({
    environment: 'prod',
    keysFile: join(folder, name),
    cwd: folder,
    mode: 'encrypt' as const,
    ...(keysCommand ? { keysCommand } : {}),
  });
  const refusal = async (words: RegExp, work: Promise<unknown>): Promise<void> => {
    await assert.rejects(work, (error) => {
      assert.ok(error instanceof HistoryKeysError, String(error));
      assert.match(error.message, words);
      assert.ok(!error.message.includes(first.ring.keys[0]?.key ?? '?'));
      assert.equal(error.exitCode, 3);
      return true;
    });
  };

  test('a file: missing, everybody’s, damaged', async () => {
    await refusal(/there are no keys: no file/, readRing(settings('none.json')));
    await writeFile(join(folder, 'open.json'), JSON.stringify(first.ring), { mode: 0o644 });
    await refusal(/can be read by everybody/, readRing(settings('open.json')));
    await chmod(join(folder, 'open.json'), 0o600);
    assert.deepEqual(await readRing(settings('open.json')), first.ring);
    await writeFile(join(folder, 'cut.json'), JSON.stringify(first.ring).slice(0, 120), { mode: 0o600 });
    await refusal(/holds no keys of histories: it is no JSON/, readRing(settings('cut.json')));
    const short = { keys: [{ ...first.ring.keys[0], key: 'c2hvcnQ=' }] };
    await writeFile(join(folder, 'short.json'), JSON.stringify(short), { mode: 0o600 });
    await refusal(/keys.0.key has to be 32 bytes/, readRing(settings('short.json')));
  });

  test('a program: what it prints, and how it fails', async () => {
    assert.deepEqual(
      await readRing(settings('', [process.execPath, '-p', `'${JSON.stringify(first.ring)}'`])),
      first.ring,
    );
    await refusal(
      /encryption\.keysCommand: .* gave no keys .*locked/,
      readRing(settings('', [process.execPath, '-e', 'console.error("locked"); process.exit(2)'])),
    );
    await refusal(/gave no keys/, readRing(settings('', [join(folder, 'no-such-program')])));
  });

  test('a program is asked again for a key that is missing; by what is written, after a minute and beside it', async () => {
    const [path, calls] = [join(folder, 'printed.json'), join(folder, 'calls')];
    await writeFile(path, JSON.stringify(first.ring));
    const asks = async (): Promise<number> => (await readFile(calls, 'utf8')).length;
    const source = await openKeySource(settings('', ['sh', '-c', 'printf x >> "$1"; cat "$2"', 'sh', calls, path]), 0);
    const codec = createCodec({ keys: source, encrypts: true });
    for (const value of ['x', 'y']) await codec.encode([payloadOf(value)]);
    assert.equal(await asks(), 1);
    await source.refresh();
    assert.equal(await asks(), 2);

    const { ring } = withNewKey(first.ring, NOON, NOON);
    await writeFile(path, JSON.stringify(ring));
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
    try {
      await codec.encode([payloadOf('z')]);
      assert.deepEqual(source.current(), first.ring);
    } finally {
      mock.timers.reset();
    }
    await waitUntil('the program', { timeoutMs: 20_000, intervalMs: 20 }, () =>
      Promise.resolve(source.current().keys.length === 2 ? true : undefined),
    );
  });

  test('a file that is being exchanged is read again, and kept while it is half written', async () => {
    const path = join(folder, 'exchanged.json');
    await writeFile(path, JSON.stringify(first.ring), { mode: 0o600 });
    const source = await openKeySource(settings('exchanged.json'), 0);
    await writeFile(path, '{"keys": [');
    await source.refresh();
    assert.deepEqual(source.current(), first.ring);
    const { ring } = withNewKey(first.ring, NOON, NOON);
    await writeFile(path, JSON.stringify(ring));
    await source.refresh();
    assert.deepEqual(source.current(), ring);
  });
});

describe('what the engine knows of keys', () => {
  const record = {
    environment: 'prod',
    keys: Object.fromEntries(first.ring.keys.map((key) => [key.id, checkOf(key)])),
  };

  test('all of them here, and more: fine', () => {
    refuseDifferences(record, withNewKey(first.ring, NOON, NOON).ring);
    refuseDifferences({ environment: 'prod', keys: {} }, undefined);
  });

  test('one is missing, none is here, one of the name is another: refused with what helps', () => {
    const foreign = withNewKey(undefined, NOON, NOON);
    const other = { keys: foreign.ring.keys.map((key) => ({ ...key, id: first.id })) };
    for (const [ring, words] of [
      [foreign.ring, /which is not among the keys here/],
      [undefined, /says nothing of encryption/],
      [other, /is not the one of that name/],
    ] as const)
      assert.throws(
        () => refuseDifferences(record, ring),
        (error) => error instanceof HistoryKeysError && words.test(error.message) && error.next.length > 0,
      );
  });

  test('a key is forgotten although the engine drops the first update, and it is said when it takes in none', async () => {
    mock.timers.enable({ apis: ['Date'] });
    try {
      for (const drops of [1, Infinity]) {
        let kept: unknown = record;
        let dropped = 0;
        const engine = engineWith(
          () => {
            // The time that an update is waited for is over.
            mock.timers.tick(60_000);
            return kept;
          },
          (value) => {
            if (dropped < drops) dropped += 1;
            else kept = value;
          },
        );
        const forgetting = forgetKey(engine, 'prod', first.id);
        if (drops === 1) {
          await forgetting;
          assert.deepEqual(kept, { environment: 'prod', keys: {} });
        } else await assert.rejects(forgetting, HistoryKeysError);
      }
    } finally {
      mock.timers.reset();
    }
  });

  test('a worker whose connection was exchanged asks over the new one what it lacks', async () => {
    const closed = (): never => {
      throw new Error('Channel has been shut down');
    };
    let kept: unknown = { environment: 'prod', keys: {} };
    let isClosed = false;
    const engine = { client: engineWith(() => (isClosed ? closed() : kept)) };
    const stopped: string[] = [];
    const histories = await openHistories('prod', {}, engine, {
      say: (text) => stopped.push(text),
      stop: () => stopped.push('stop'),
      patienceMilliseconds: 0,
    });
    isClosed = true;
    kept = record;
    engine.client = engineWith(() => kept);
    const [sealed] = await createCodec({ keys: sourceOf(first.ring), encrypts: true }).encode([payloadOf('x')]);
    await assert.rejects(histories.codec.decode([sealed as Payload]), UnreadableHistoryError);
    await setImmediate();
    assert.equal(stopped.at(-1), 'stop');
    assert.throws(() => histories.throwIfUnfit(), HistoryKeysError);
  });
});
