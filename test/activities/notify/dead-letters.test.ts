/** Notifications that could not be delivered: kept in the cluster, bounded in number, sent again, dropped. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unguardedActivities } from '../../../src/activities/index.ts';
import { OWNER_RECORD } from '../../../src/contract/owner.ts';
import type { DeadLetter, Notification } from '../../../src/contract/notifications.ts';
import {
  DEAD_LETTER_DAYS,
  keepDeadLetter,
  letterId,
  readDeadLetters,
  removeDeadLetter,
} from '../../../src/effects/notify/dead-letters.ts';
import { KubernetesError } from '../../../src/clients/kubernetes/index.ts';
import { withFakeClients } from '../../support/fakes/clients.ts';
import { writeEnvironment } from '../../support/fakes/environment.ts';
import { testScope } from '../../support/scope.ts';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const daysAgo = (days: number): string => new Date(NOW - days * 86_400_000).toISOString();

function notificationOf(id: string): Notification {
  return {
    id,
    event: 'failure',
    environment: 'sandbox',
    title: 'It failed',
    lines: [],
    workflowId: 'deploy/sandbox/uid',
    runId: 'run-1',
    at: daysAgo(0),
  };
}

function letterOf(id: string, at: string, more: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: letterId(id, 'ops'),
    environment: 'sandbox',
    target: 'ops',
    at,
    attempts: 7,
    error: 'answered 500',
    notification: notificationOf(id),
    ...more,
  };
}

describe('what nobody could be told', () => {
  test('is kept, newest first; the oldest go when there are too many, and all that are too old', async () => {
    await withFakeClients(async ({ clients: { kubernetes } }) => {
      const keep = (id: string, at: string): Promise<boolean> =>
        keepDeadLetter(kubernetes, letterOf(id, at), { kept: 3, now: NOW });
      for (const [id, days] of [
        ['old', DEAD_LETTER_DAYS + 1],
        ['a', 4],
        ['b', 3],
        ['c', 2],
        ['d', 1],
      ] as const)
        assert.equal(await keep(id, daysAgo(days)), true);
      const left = await readDeadLetters(kubernetes, 'sandbox');
      assert.deepEqual(
        left.map(({ letter }) => letter.notification.id),
        ['d', 'c', 'b'],
      );
      assert.deepEqual(await readDeadLetters(kubernetes, 'other'), []);
      await removeDeadLetter(kubernetes, left[1]!);
      assert.equal((await readDeadLetters(kubernetes, 'sandbox')).length, 2);
    });
  });

  test('the same is kept once, with what came back last; one that is damaged is left out', async () => {
    await withFakeClients(async ({ clients: { kubernetes }, cluster }) => {
      await keepDeadLetter(kubernetes, letterOf('a', daysAgo(2)), { now: NOW });
      await keepDeadLetter(kubernetes, letterOf('a', daysAgo(1), { attempts: 8, error: 'answered 404' }), { now: NOW });
      await keepDeadLetter(kubernetes, letterOf('b', daysAgo(3)), { now: NOW });
      const damaged = [...cluster.objects.values()].find(({ metadata }) =>
        metadata.name.endsWith(letterId('b', 'ops')),
      )!;
      (damaged as unknown as { data: Record<string, string> }).data = { letter: '{' };
      const all = await readDeadLetters(kubernetes, 'sandbox');
      assert.deepEqual(
        all.map(({ letter }) => [letter.attempts, letter.error]),
        [[8, 'answered 404']],
      );
    });
  });

  test('nothing is left on a cluster of somebody else, or where the right to is missing', async () => {
    await withFakeClients(async ({ clients, cluster, run }) => {
      const owner = [...cluster.objects.keys()].find((key) => key.endsWith(`configmaps/${OWNER_RECORD.name}`))!;
      const settle = (): Promise<{ letter?: string }> =>
        unguardedActivities(clients, () => testScope()).settleNotification({
          run,
          notification: notificationOf('a'),
          delivery: { target: 'ops', delivered: false, attempts: 7, text: 'answered 500' },
        });
      assert.deepEqual(await settle(), { letter: letterId('a', 'ops') });
      const { create } = clients.kubernetes;
      clients.kubernetes.create = () =>
        Promise.reject(new KubernetesError('POST', 403, 'Forbidden', 'may not create configmaps'));
      cluster.objects.delete([...cluster.objects.keys()].find((key) => key.includes('dead-letter'))!);
      assert.deepEqual(await settle(), {});
      clients.kubernetes.create = create;
      cluster.objects.delete(owner);
      assert.deepEqual(await settle(), {});
      assert.equal([...cluster.objects.keys()].filter((key) => key.includes('dead-letter')).length, 0);
    });
  });

  test('one that arrives at last is forgotten; one that does not counts its attempts', async () => {
    await withFakeClients(async ({ clients, run }) => {
      const { settleNotification } = unguardedActivities(clients, () => testScope());
      const notification = notificationOf('a');
      const settle = (delivered: boolean, before?: DeadLetter): Promise<{ letter?: string }> =>
        settleNotification({
          run,
          notification,
          delivery: { target: 'ops', delivered, attempts: 1, text: 'it\nsaid' },
          ...(before ? { before } : {}),
        });
      const letters = async (): Promise<DeadLetter[]> =>
        (await readDeadLetters(clients.kubernetes, 'sandbox')).map(({ letter }) => letter);
      await settle(false);
      const [first] = await letters();
      assert.deepEqual([first?.attempts, first?.error], [1, 'it said']);
      await settle(false, first);
      assert.equal((await letters())[0]?.attempts, 2);
      await settle(true, first);
      assert.deepEqual(await letters(), []);
      // Somebody has dropped it meanwhile.
      await settle(true, first);
    });
  });
});

describe('who is told', () => {
  test('those that want the event, once by the run that has begun to; a test goes to all', async () => {
    await withFakeClients(async (parts) => {
      const { folder, run } = parts;
      await writeEnvironment(parts.clients.config, folder, {
        notify: {
          command: ['tell'],
          targets: {
            ops: { url: 'https://ops.example', events: ['end', 'drift'] },
            quiet: { command: ['x'], events: [] },
          },
        },
      });
      const clients = { ...parts.clients, config: { ...parts.clients.config, environmentsDir: folder } };
      const { addressNotification, recordDrift } = unguardedActivities(clients, () => testScope());
      const targets = async (more: object, runId = 'run-1'): Promise<string[]> =>
        (
          await addressNotification({
            run: { ...run, runId },
            event: 'failure',
            title: 'It failed',
            lines: [],
            ...more,
          })
        ).targets;
      assert.deepEqual(await targets({}), ['command', 'ops']);
      assert.deepEqual(await targets({ event: 'end' }), ['ops']);
      assert.deepEqual(await targets({ event: 'start' }), []);
      assert.deepEqual(await targets({ event: 'test' }), ['command', 'ops', 'quiet']);
      assert.deepEqual(await targets({ event: 'test', targets: ['quiet'] }), ['quiet']);
      const about = { event: 'drift', about: ['a', 'b'] };
      assert.deepEqual(await targets(about), ['command', 'ops']);
      // An attempt whose answer was lost; then another run that has found the same.
      assert.deepEqual(await targets(about), ['command', 'ops']);
      assert.deepEqual(await targets({ ...about, about: ['b', 'a'] }, 'run-2'), []);
      assert.deepEqual(await targets({ ...about, about: ['a'] }, 'run-3'), ['command', 'ops']);
      await recordDrift({ run, outcome: 'clean', attempted: [], findings: 0, repaired: 0, flapping: 0, seconds: 1 });
      assert.deepEqual(await targets({ ...about, about: ['a'] }, 'run-4'), ['command', 'ops']);
    });
  });
});
