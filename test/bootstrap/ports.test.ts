import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { becomesFree, claimPorts, isPortFree, readPorts } from '../../bootstrap/process/ports.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-ports-'));
});
after(() => rm(folder, { recursive: true, force: true }));

function occupy(port: number, host = '127.0.0.1'): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .once('error', reject)
      .listen(port, host, () => {
        resolve(server);
      });
  });
}
const none = new Set<string>();

describe('ports', () => {
  test('are free ones outside of the range for outgoing connections, and remembered', async () => {
    const request = { file: join(folder, 'kept.json'), names: ['a', 'b', 'c'], inUseByUs: none };
    const first = await claimPorts(request);
    assert.equal(new Set(Object.values(first)).size, 3);
    for (const port of Object.values(first)) assert.ok(port >= 20_000 && port < 30_000);
    assert.deepEqual(await claimPorts(request), first);
    assert.deepEqual(await readPorts(request.file), first);
    const more = await claimPorts({ ...request, names: ['a', 'd'] });
    assert.deepEqual({ ...more, d: 0 }, { ...first, d: 0 });
  });

  test('of environments differ from the start', async () => {
    const [one, other] = await Promise.all(
      ['one.json', 'other.json'].map((name) => claimPorts({ file: join(folder, name), names: ['a'], inUseByUs: none })),
    );
    assert.notEqual(one?.['a'], other?.['a']);
  });

  test('that somebody else took are replaced, those in use by ourselves are not', async () => {
    const request = { file: join(folder, 'taken.json'), names: ['ours', 'theirs'], inUseByUs: new Set(['ours']) };
    const was = await claimPorts({ ...request, inUseByUs: none });
    const servers = await Promise.all([occupy(was['ours']!), occupy(was['theirs']!)]);
    const now = await claimPorts(request);
    assert.equal(now['ours'], was['ours']);
    assert.notEqual(now['theirs'], was['theirs']);
    for (const server of servers) server.close();
  });

  test('a listener on all addresses counts, too', async () => {
    const { p } = await claimPorts({ file: join(folder, 'all.json'), names: ['p'], inUseByUs: none });
    assert.equal(await isPortFree(p!), true);
    const server = await occupy(p!, '0.0.0.0');
    assert.equal(await isPortFree(p!), false);
    server.close();
  });

  test('one that is given up in a moment is waited for', async () => {
    const { p } = await claimPorts({ file: join(folder, 'moment.json'), names: ['p'], inUseByUs: none });
    const server = await occupy(p!);
    setTimeout(() => {
      server.close();
    }, 150);
    assert.equal(await becomesFree(p!), true);
  });

  test('of another environment are kept out of, as long as that one remembers them', async () => {
    const claims = join(folder, 'shared', 'claims.json');
    const one = { file: join(folder, 'first.json'), names: ['a', 'b'], inUseByUs: none, claims };
    const first = await claimPorts(one);
    assert.deepEqual(await claimPorts(one), first, 'its own it may have again');
    // The port is free, and the other environment would begin with exactly this one.
    const wished = first['a']!;
    const two = { file: join(folder, 'second.json'), names: ['p'], inUseByUs: none, claims };
    await writeFile(two.file, JSON.stringify({ p: wished }));
    const second = await claimPorts(two);
    assert.ok(!Object.values(first).includes(second['p']!), `${second['p']} is another's`);
    await rm(one.file);
    await writeFile(two.file, JSON.stringify({ p: wished }));
    assert.equal((await claimPorts(two))['p'], wished, 'forgotten, it is free');
    assert.deepEqual(
      JSON.parse(await readFile(claims, 'utf8')),
      { [String(wished)]: two.file },
      'what nobody remembers is dropped',
    );
  });

  test('asked for by many at once, each is given to one', async () => {
    const claims = join(folder, 'many', 'claims.json');
    // All want the same ports, as environments do that were stopped while others took theirs.
    const { x, y } = await claimPorts({ file: join(folder, 'wish.json'), names: ['x', 'y'], inUseByUs: none });
    const files = Array.from({ length: 8 }, (_, index) => join(folder, `many-${index}.json`));
    for (const file of files) await writeFile(file, JSON.stringify({ x, y }));
    const given = await Promise.all(
      files.map((file) => claimPorts({ file, names: ['x', 'y', 'z'], inUseByUs: none, claims })),
    );
    assert.equal(new Set(given.flatMap((ports) => Object.values(ports))).size, 24);
    assert.equal(given.filter((ports) => ports['x'] === x).length, 1);
  });

  test('a damaged file is as good as none', async () => {
    const file = join(folder, 'damaged.json');
    await writeFile(file, '{"a": "x"');
    assert.deepEqual(await readPorts(file), {});
    const ports = await claimPorts({ file, names: ['a'], inUseByUs: none });
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), ports);
  });
});
