/** Pods of Vault that nobody else replaces: which, in what order, and what is open meanwhile. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { replaceOutdatedPods } from '../../../src/effects/vault/replace-pods.ts';
import type { Clients } from '../../../src/clients/index.ts';
import type { VaultHealth, VaultServer } from '../../../src/clients/vault/index.ts';
import { fakeCatalog } from '../../support/fakes/catalog.ts';
import { VaultWaitsForPeopleError } from '../../../src/clients/vault/index.ts';

interface Pod {
  name: string;
  uid: string;
  revision: string;
  sealed: boolean;
}

/** A StatefulSet whose controller makes each deleted pod anew, sealed, and a Vault that elects who is open. */
function vaultOf(replicas: number, strategy: 'OnDelete' | 'RollingUpdate' = 'OnDelete') {
  const pods: Pod[] = Array.from({ length: replicas }, (_, index) => ({
    name: `vault-${index}`,
    uid: `old-${index}`,
    revision: 'one',
    sealed: false,
  }));
  let active = 'vault-0';
  const events: string[] = [];
  const elect = (): void => {
    const open = pods.filter(({ sealed }) => !sealed);
    if (!open.some(({ name }) => name === active)) active = open[0]?.name ?? '';
  };
  const health = (pod: Pod): VaultHealth => ({
    initialized: true,
    sealed: pod.sealed,
    standby: pod.name !== active,
    version: '1',
  });
  const kubernetes = {
    get: (path: string) =>
      Promise.resolve(
        path.endsWith('/statefulsets/vault')
          ? {
              metadata: { name: 'vault', uid: '', resourceVersion: '', generation: 2 },
              spec: { replicas, updateStrategy: { type: strategy } },
              status: { observedGeneration: 2, updateRevision: 'two' },
            }
          : pods
              .filter(({ name }) => path.endsWith(`/${name}`))
              .map(({ name, uid }) => ({ metadata: { name, uid, resourceVersion: '' } }))[0],
      ),
    list: () =>
      Promise.resolve({
        metadata: { resourceVersion: '' },
        items: pods.map(({ name, uid, revision }) => ({
          metadata: { name, uid, resourceVersion: '', labels: { 'controller-revision-hash': revision } },
        })),
      }),
    remove: (path: string, { uid }: { uid?: string } = {}) => {
      const pod = pods.find(({ name }) => path.endsWith(`/pods/${name}`))!;
      assert.equal(uid, pod.uid, 'that very pod');
      assert.ok(
        pods.every(({ sealed }) => !sealed),
        'nothing is deleted while another one is closed',
      );
      events.push(`delete ${pod.name}${pod.name === active && replicas > 1 ? ' (active)' : ''}`);
      Object.assign(pod, { uid: `new-${pod.name}`, revision: 'two', sealed: true });
      elect();
      return Promise.resolve(true);
    },
  };
  const vault = {
    servers: () =>
      Promise.resolve(
        pods.map(
          (pod): VaultServer => ({
            name: pod.name,
            api: { health: () => Promise.resolve(health(pod)) } as unknown as VaultServer['api'],
          }),
        ),
      ),
    asDeployer: (work: (session: { write: (path: string) => Promise<unknown> }) => Promise<unknown>) =>
      work({
        write: (path) => {
          events.push(path);
          const others = pods.filter(({ name, sealed }) => name !== active && !sealed);
          active = others[0]?.name ?? active;
          return Promise.resolve(undefined);
        },
      }),
  };
  const open = (): Promise<void> => {
    for (const pod of pods.filter(({ sealed }) => sealed)) {
      events.push(`open ${pod.name}`);
      pod.sealed = false;
    }
    elect();
    return Promise.resolve();
  };
  const clients = { catalog: fakeCatalog(), kubernetes, vault } as unknown as Pick<
    Clients,
    'catalog' | 'kubernetes' | 'vault'
  >;
  return {
    pods,
    events,
    open,
    replace: (way: () => Promise<unknown> = open) =>
      replaceOutdatedPods(clients, { open: way, signal: new AbortController().signal, onStatus: () => undefined }),
  };
}

describe('pods of an older template', () => {
  test('standbys first, each open before the next; the active one hands over and comes last', async () => {
    const { events, replace } = vaultOf(3);
    assert.deepEqual(await replace(), ['vault-2', 'vault-1', 'vault-0']);
    assert.deepEqual(events, [
      'delete vault-2',
      'open vault-2',
      'delete vault-1',
      'open vault-1',
      'sys/step-down',
      'delete vault-0',
      'open vault-0',
    ]);
    assert.deepEqual(await replace(), [], 'none is older any more');
  });

  test('only those that really are older', async () => {
    const { pods, events, replace } = vaultOf(3);
    Object.assign(pods[1]!, { revision: 'two' });
    Object.assign(pods[0]!, { revision: 'two' });
    await replace();
    assert.deepEqual(events, ['delete vault-2', 'open vault-2']);
  });

  test('a single one is replaced without ceremony', async () => {
    const { events, replace } = vaultOf(1);
    await replace();
    assert.deepEqual(events, ['delete vault-0', 'open vault-0']);
  });

  test('what Kubernetes replaces itself is left to it', async () => {
    const { events, replace } = vaultOf(3, 'RollingUpdate');
    assert.deepEqual([await replace(), events], [[], []]);
  });

  test('where people open it the next one waits for them; the next attempt goes on there', async () => {
    const { events, open, replace } = vaultOf(3);
    await assert.rejects(
      replace(() => Promise.reject(new VaultWaitsForPeopleError('waits'))),
      VaultWaitsForPeopleError,
    );
    assert.deepEqual(events, ['delete vault-2']);
    await open();
    assert.deepEqual(await replace(), ['vault-1', 'vault-0']);
  });
});
