/** `ananta codec` away from any engine: keys are made, listed and refused, and never shown. */
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Client } from '@temporalio/client';
import { type EngineKeys, engineKeys } from '../../../src/cli/codec/engine.ts';
import { requireTogether } from '../../../src/cli/rings/ready.ts';
import type { CliContext } from '../../../src/cli/shared/context.ts';
import { type KeyRing, withNewKey } from '../../../src/clients/temporal/encryption/ring.ts';
import { readConfig } from '../../../src/config.ts';
import type { RingsFile } from '../../../src/environment/rings.ts';
import { exits, externalEnvironment, type Workspace, workspace } from '../run-cli.ts';

let place: Workspace;
let file: string;
before(async () => {
  place = await workspace();
  file = join(place.folder, 'keys.json');
  await place.environment('plain', externalEnvironment({}));
  await place.environment('prod', externalEnvironment({ more: `encryption: { keysFile: ${file} }` }));
  const print = `encryption: { keysCommand: [cat, ${file}] }`;
  await place.environment('printed', externalEnvironment({ more: print }));
});
after(() => place.remove());
const ringIn = async (path: string): Promise<KeyRing> => JSON.parse(await readFile(path, 'utf8')) as KeyRing;

describe('codec', () => {
  test('without encryption in the environment there are no keys; without a key nothing is listed', async () => {
    const plain = await place.run(['codec', 'rotate', '--env', 'plain']);
    exits(plain, 3);
    assert.match(plain.stderr, /environments\/plain\.yaml says nothing of encryption/);
    const none = await place.run(['codec', 'keys', '--env', 'prod']);
    exits(none, 3);
    assert.match(none.stderr, /has no keys yet[^]*codec rotate --env prod/);
  });

  test('the first key encrypts at once, the next one when all have it; neither is shown, and the file is private', async () => {
    const first = await place.run(['codec', 'rotate', '--env', 'prod']);
    exits(first, 0);
    assert.match(first.stdout, /The first key[^]*It encrypts from now on/);
    assert.match(first.stdout, /The engine does not know of it yet: the engine does not answer/);
    const second = await place.run(['codec', 'rotate', '--env', 'prod']);
    exits(second, 0);
    assert.match(second.stdout, /A new key[^]*It encrypts in 10 min/);
    const { keys } = await ringIn(file);
    assert.equal(keys.length, 2);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const list = await place.run(['codec', 'keys', '--env', 'prod', '--json']);
    exits(list, 0);
    const listed = JSON.parse(list.stdout) as { keys: { id: string; state: string }[]; problem?: string };
    assert.deepEqual(
      listed.keys.map(({ id, state }) => [id, state]),
      [
        [keys[0]?.id, 'encrypts'],
        [keys[1]?.id, 'waits'],
      ],
    );
    assert.match(listed.problem ?? '', /the engine does not answer/);
    for (const { key } of keys)
      for (const run of [first, second, list]) assert.ok(!`${run.stdout}${run.stderr}`.includes(key));
  });

  test('a key that encrypts is not retired, nor one of which only the engine knows whether it is needed', async () => {
    const [writing, waiting] = (await ringIn(file)).keys;
    const now = await place.run(['codec', 'retire', writing?.id ?? '', '--env', 'prod']);
    exits(now, 3);
    assert.match(now.stderr, /is the key that encrypts now/);
    const unknown = await place.run(['codec', 'retire', waiting?.id ?? '', '--lost', '--env', 'prod']);
    exits(unknown, 3);
    assert.match(unknown.stderr, /only the engine knows/);
    assert.equal((await ringIn(file)).keys.length, 2);
  });

  test('keys that a program prints are written where their owner says, all of them', async () => {
    const refused = await place.run(['codec', 'rotate', '--env', 'printed']);
    exits(refused, 3);
    assert.match(refused.stderr, /come from a program[^]*--out FILE/);
    const out = join(place.folder, 'out.json');
    exits(await place.run(['codec', 'rotate', '--env', 'printed', '--out', out]), 0);
    assert.equal((await ringIn(out)).keys.length, 3);
    assert.equal((await ringIn(file)).keys.length, 2);
  });

  test('an engine that goes away before it knows a new key is named; one that knows another key refuses', async () => {
    const { ring } = withNewKey(undefined, Date.now(), Date.now());
    const answering = (describe: () => Promise<unknown>): EngineKeys => {
      const options = { loadedDataConverter: { payloadCodecs: [] } };
      return engineKeys({ options, schedule: { getHandle: () => ({ describe }) } } as unknown as Client, 'prod');
    };
    const gone = answering(() => Promise.reject(new Error('14 UNAVAILABLE')));
    assert.match((await gone.tell(ring)) ?? '', /the engine does not answer \(14 UNAVAILABLE\)/);
    const known = { environment: 'prod', keys: { other: 'check' } };
    const other = answering(() => Promise.resolve({ action: { args: [known] } }));
    await assert.rejects(other.tell(ring), /encrypted with other, which is not among the keys here/);
  });

  test('with --in 0s the next key encrypts at once, too', async () => {
    await place.environment('hurry', externalEnvironment({ more: `encryption: { keysFile: ${file}.hurry }` }));
    exits(await place.run(['codec', 'rotate', '--env', 'hurry']), 0);
    const second = await place.run(['codec', 'rotate', '--env', 'hurry', '--in', '0s']);
    exits(second, 0);
    assert.match(second.stdout, /A new key[^]*It encrypts from now on/);
  });

  test('serve refuses to decrypt for a network without TLS, or without knowing where the UI is', async () => {
    const open = ['codec', 'serve', '--env', 'prod', '--listen', '0.0.0.0:0', '--ui-origin', 'https://t.example'];
    const clear = await place.run(open);
    exits(clear, 3);
    assert.match(clear.stderr, /can be reached from other machines/);
    const nowhere = await place.run(['codec', 'serve', '--env', 'prod']);
    exits(nowhere, 3);
    assert.match(nowhere.stderr, /--ui-origin/);
  });

  test('rings of environments with different keys are refused before anything begins', async () => {
    const context = { config: { ...readConfig(), environmentsDir: place.folder } } as CliContext;
    const ringsOf = (...environments: string[]) => ({ rings: [{ name: 'a', environments }] }) as unknown as RingsFile;
    await assert.rejects(
      requireTogether(context, 'world', ringsOf('prod', 'plain')),
      /rings\/world\.yaml encrypt their histories with different keys[^]*plain: plain/,
    );
    await place.environment('other', externalEnvironment({ more: `encryption: { keysFile: ${file} }` }));
    await requireTogether(context, 'world', ringsOf('prod', 'other'));
    await requireTogether(context, 'world', ringsOf('plain'));
  });
});
