/**
 * A rotation that is cut off at any request to Vault, before or after it was processed: whatever the server takes is
 * known to Vault, and the next attempt leads to the end.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createActivities } from '../../../src/activities/index.ts';
import type { RotationSystem } from '../../../src/catalog/schema.ts';
import type { Activities } from '../../../src/contract/activities.ts';
import { presenceOf } from '../../../src/cli/secrets/presence.ts';
import { findVaultDrift } from '../../../src/effects/drift/vault.ts';
import { readDates } from '../../../src/effects/rotation/record.ts';
import { registerAllSecrets } from '../../../src/effects/vault/register-all.ts';
import { observeVault } from '../../../src/effects/vault/observe.ts';
import { findRelease } from '../../../src/plan/releases.ts';
import { listedReaders, withRestart } from '../../../src/plan/vault/secret-readers.ts';
import { eventually } from '../../support/eventually.ts';
import { planOf } from '../../support/plans.ts';
import { ROTATION_ACTS } from '../../../src/contract/operations/secret-name.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { testScope } from '../../support/scope.ts';
import { fakeServer, QUEUE, restartApi, rotating, seed, setTo, valueOf } from '../../support/rotation/sample.ts';

async function rotateAll(activities: Activities, parts: FakeParts): Promise<void> {
  for (const act of ROTATION_ACTS) {
    if (act === 'verify') restartApi(parts, '2099-01-01T00:00:00Z');
    await activities.rotateSecret({ run: parts.run, act, secret: QUEUE });
  }
}

/** Everything that stands in Vault, older versions included. */
function known({ vault }: FakeParts): Set<string> {
  return new Set(
    [...vault.kv.values()].flatMap(({ versions }) => versions.flatMap(({ data }) => Object.values(data ?? {}))),
  );
}

const SUPERUSER: RotationSystem = { system: 'postgresql', server: 'cache', database: 'postgres', username: 'username' };

async function prepared(
  parts: FakeParts,
  rotation?: RotationSystem,
): Promise<{ activities: Activities; roles: Map<string, string>; first: string }> {
  rotating(parts, rotation);
  const activities = createActivities(parts.clients, () => testScope());
  await seed(parts, activities);
  const roles = fakeServer(parts);
  const first = valueOf(parts, QUEUE) ?? '';
  roles.set('apps', first);
  return { activities, roles, first };
}

/** Since when the rotation is on record as begun and not ended; the drift check reports it by this date. */
async function begunAt({ clients }: FakeParts): Promise<string | undefined> {
  return clients.vault.asDeployer(async (session) => (await readDates(session))(QUEUE).begun);
}

describe('a rotation that is cut off', () => {
  for (const [of, when, rotation] of [
    ['a role', 'before', undefined],
    ['a role', 'after', undefined],
    ['the superuser', 'after', SUPERUSER],
  ] as const)
    test(`of ${of}, at any request, ${when} it is processed, goes on to its end`, async () => {
      let cuts = 0;
      for (let at = 1; ; at++) {
        let done = false;
        await withFakeClients(async (parts) => {
          const { activities, roles, first } = await prepared(parts, rotation);
          parts.vault.cutAt(at, when);
          done = await rotateAll(activities, parts).then(
            () => true,
            () => false,
          );
          parts.vault.heal();
          if (done) return;
          cuts += 1;
          for (const value of roles.values()) assert.ok(known(parts).has(value), `cut ${at}: nobody knows a password`);
          const current = valueOf(parts, QUEUE);
          assert.ok([...roles.values()].includes(current ?? ''), `cut ${at}: what Vault says does not log in`);
          const named = (await begunAt(parts)) !== undefined;
          if (roles.size > 1) assert.ok(named, `cut ${at}: two passwords are good, and drift does not say so`);
          // The answer to the last request alone was lost: there is nothing left to be done.
          if (named || current === first) await rotateAll(activities, parts);
          assert.equal(await begunAt(parts), undefined, `cut ${at}: drift names a rotation that has ended`);
          const username = valueOf(parts, { path: QUEUE.path, key: 'username' }) ?? '';
          assert.deepEqual([...roles], [[username, valueOf(parts, QUEUE)]], `cut ${at}`);
          assert.notEqual(valueOf(parts, QUEUE), first);
        });
        if (done) break;
      }
      assert.ok(cuts > 12, `${cuts} cuts`);
    });

  test('is begun anew where somebody has changed the value meanwhile', () =>
    withFakeClients(async (parts) => {
      const { activities, roles } = await prepared(parts);
      await activities.rotateSecret({ run: parts.run, act: 'add', secret: QUEUE });
      const abandoned = roles.get('apps_b');
      setTo(parts, QUEUE, 'set-by-hand');
      roles.set('apps', 'set-by-hand');
      await assert.rejects(
        activities.rotateSecret({ run: parts.run, act: 'write', secret: QUEUE }),
        /somebody has changed it/,
      );
      assert.equal(valueOf(parts, QUEUE), 'set-by-hand');
      await rotateAll(activities, parts);
      assert.notEqual(valueOf(parts, QUEUE), abandoned);
      assert.deepEqual([...roles], [['apps_b', valueOf(parts, QUEUE)]]);
    }));

  test('revokes nothing while a reader has the former value', () =>
    withFakeClients(async (parts) => {
      const { activities, roles, first } = await prepared(parts);
      for (const act of ['add', 'write'] as const)
        await activities.rotateSecret({ run: parts.run, act, secret: QUEUE });
      await assert.rejects(
        activities.rotateSecret({ run: parts.run, act: 'verify', secret: QUEUE }),
        /not every reader has the new value yet[^]*api: pod apps\/api-1 has started before/,
      );
      assert.equal(roles.get('apps'), first);
    }));

  test('revokes nothing where somebody has put the former value back; begun again, it goes on', () =>
    withFakeClients(async (parts) => {
      const { activities, roles, first } = await prepared(parts);
      for (const act of ['add', 'write', 'verify'] as const) {
        if (act === 'verify') restartApi(parts, '2099-01-01T00:00:00Z');
        await activities.rotateSecret({ run: parts.run, act, secret: QUEUE });
      }
      setTo(parts, QUEUE, first);
      setTo(parts, { path: QUEUE.path, key: 'username' }, 'apps');
      for (const act of ['verify', 'revoke'] as const)
        await assert.rejects(
          activities.rotateSecret({ run: parts.run, act, secret: QUEUE }),
          /Vault does not hold the new value \(any more\), so the former one stays good/,
        );
      assert.equal(roles.get('apps'), first);
      const made = roles.get('apps_b');
      await rotateAll(activities, parts);
      assert.equal(valueOf(parts, QUEUE), made);
      assert.deepEqual([...roles], [['apps_b', made]]);
    }));

  test('at its very end is ended by the next attempt of that step', async () => {
    let cuts = 0;
    for (let at = 1, done = false; !done; at++)
      await withFakeClients(async (parts) => {
        const { activities } = await prepared(parts);
        for (const act of ['add', 'write'] as const)
          await activities.rotateSecret({ run: parts.run, act, secret: QUEUE });
        parts.vault.cutAt(at, 'after');
        const revoke = () => activities.rotateSecret({ run: parts.run, act: 'revoke', secret: QUEUE });
        done = await revoke().then(
          () => true,
          () => false,
        );
        parts.vault.heal();
        if (!done) cuts += 1;
        await revoke();
        assert.equal(await begunAt(parts), undefined, `cut ${at}`);
      });
    assert.ok(cuts > 3, `${cuts} cuts`);
  });

  test('asks nothing of a server whose administrator nobody knows, and names what is missing', () =>
    withFakeClients(async (parts) => {
      const { activities, roles } = await prepared(parts);
      setTo(parts, { path: 'stores/cache', key: 'redis-password' }, '');
      await assert.rejects(
        activities.rotateSecret({ run: parts.run, act: 'add', secret: QUEUE }),
        /Vault has no value for stores\/cache redis-password, by which the administrator of cache logs in/,
      );
      assert.deepEqual([...roles.keys()], ['apps']);
    }));

  test('has both values kept out of texts, at the price of one request where nothing is rotated', () =>
    withFakeClients(async (parts) => {
      const { activities } = await prepared(parts);
      const { clients, vault } = parts;
      const asked = async () => {
        vault.requests.length = 0;
        await registerAllSecrets(clients, new AbortController().signal);
        return vault.requests.filter((request) => request.includes('ananta-deploy/rotat'));
      };
      assert.deepEqual(await asked(), ['GET /v1/secret/data/ananta-deploy/rotated']);
      await activities.rotateSecret({ run: parts.run, act: 'add', secret: QUEUE });
      assert.equal((await asked()).length, 2);
    }));

  test('is seen by drift and in the list of secrets until it has ended; then its age counts from there', () =>
    withFakeClients(async (parts) => {
      const { activities } = await prepared(parts);
      const { clients } = parts;
      const signal = new AbortController().signal;
      const environment = { ...clients.environment, rotation: { olderThanSeconds: 3600, timeZone: 'UTC' } };
      const findings = async () =>
        (await findVaultDrift(clients, environment, signal)).findings
          .filter(({ field = '' }) => /password (age|rotation)/.test(field))
          .map(({ field, is }) => `${field ?? ''} ${is ?? ''}`);
      const list = async () => (await presenceOf(clients, signal)).ages?.get('stores/queue password');
      assert.deepEqual(await findings(), []);
      const path = parts.vault.kv.get(QUEUE.path);
      for (const version of path?.versions ?? []) version.created_time = '2020-01-01T00:00:00Z';
      assert.match((await findings()).join(), /^password age \d+ days$/);
      assert.deepEqual(await list(), { since: '2020-01-01T00:00:00Z' });
      await activities.rotateSecret({ run: parts.run, act: 'add', secret: QUEUE });
      assert.match((await findings()).join(), /^password rotation begun .* not ended$/);
      assert.match((await list())?.begun ?? '', /^20/);
      await rotateAll(activities, parts);
      assert.deepEqual(await findings(), []);
      const { since = '', begun } = (await list()) ?? {};
      assert.ok(Date.now() - Date.parse(since) < 600_000);
      assert.equal(begun, undefined);
    }));

  test('a deployment after it asks nobody to restart a server that knows the value, and restarts readers that do not', () =>
    withFakeClients(async (parts) => {
      const { activities } = await prepared(parts);
      const { clients } = parts;
      const changed = async () =>
        (await observeVault(clients, clients.environment, new AbortController().signal)).changedSecrets ?? [];
      for (const act of ['add', 'write'] as const)
        await activities.rotateSecret({ run: parts.run, act, secret: QUEUE });
      const [queue] = await changed();
      assert.deepEqual([queue?.name, queue?.rotated, queue?.stale], ['vault-stores-queue', true, false]);
      const api = findRelease(clients.catalog, 'api');
      const step = { ...planOf({ api: { phase: 1, action: 'unchanged' } }).services[0]!.steps[0]!, namespace: 'apps' };
      const seen = {
        changedSecrets: await changed(),
        podsSince: new Map([
          ['apps/api', '2020-01-01T00:00:00Z'],
          ['stores/cache', '2020-01-01T00:00:00Z'],
        ]),
      };
      assert.equal(withRestart(clients.catalog, clients.environment, api, step, seen).action, 'restart');
      assert.deepEqual(listedReaders(clients.catalog, clients.environment, seen), []);
      // What somebody changes by hand afterwards is no rotation.
      setTo(parts, QUEUE, 'set-by-hand');
      const later = Date.now() + 1500;
      await eventually(() => assert.ok(Date.now() > later));
      await activities.syncSecrets(parts.run);
      assert.equal((await changed())[0]?.rotated, undefined);
    }));

  test('leaves servers alone whose pods are simulated, and says so', () =>
    withFakeClients(async (parts) => {
      const { activities, roles } = await prepared(parts);
      parts.cluster.objects.set('/api/v1/nodes/node-1', {
        metadata: { name: 'node-1', uid: 'n', resourceVersion: '1', annotations: { 'kwok.x-k8s.io/node': 'fake' } },
      });
      const { notes } = await activities.rotateSecret({ run: parts.run, act: 'add', secret: QUEUE });
      assert.match(notes.join(), /stores\/queue password: the pods of cache are simulated/);
      assert.deepEqual([...roles.keys()], ['apps']);
    }));
});
