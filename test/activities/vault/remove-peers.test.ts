/** Vault servers that are removed from raft: in which order, and when none is. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clients } from '../../../src/clients/index.ts';
import type { VaultServer } from '../../../src/clients/vault/index.ts';
import { VaultError, VaultWaitsForPeopleError } from '../../../src/clients/vault/index.ts';
import { commandScope } from '../../../src/effects/effect.ts';
import { removePeers } from '../../../src/effects/vault/remove-peers.ts';

interface Raft {
  peers: string[];
  leader: string;
  sealed?: string[];
  /** Ids that Vault has made up, by server. */
  ids?: Record<string, string>;
  /** The unseal keys are with people. */
  people?: true;
}

/** As in a real cluster: the leader is not removed; without it another one is elected. */
function raftOf({ peers, leader, sealed = [], ids = {}, people }: Raft) {
  const events: string[] = [];
  let members = [...peers];
  let active = leader;
  const idOf = (name: string): string => ids[name] ?? name;
  const session = {
    read: () =>
      Promise.resolve({
        data: {
          config: {
            servers: members.map((name) => ({
              node_id: idOf(name),
              address: `${name}.vault-headless.vault-system.svc:8201`,
              leader: name === active,
              voter: true,
            })),
          },
        },
      }),
    write: (path: string, { server_id: id }: { server_id?: string }) => {
      if (path === 'sys/step-down') {
        events.push(`${active} hands over`);
        active = members.find((name) => name !== active && !sealed.includes(name)) ?? active;
        return Promise.resolve(undefined);
      }
      const name = members.find((member) => idOf(member) === id);
      if (name === undefined || name === active)
        return Promise.reject(new VaultError(`write ${path}`, 400, `cannot remove ${id}`));
      events.push(`without ${name}`);
      members = members.filter((member) => member !== name);
      return Promise.resolve(undefined);
    },
  };
  const vault = {
    root: {
      run: (work: (given: typeof session) => Promise<unknown>) =>
        people ? Promise.reject(new VaultWaitsForPeopleError('waits for anna')) : work(session),
    },
    servers: () =>
      Promise.resolve(
        peers.map(
          (name): VaultServer => ({
            name,
            api: {
              health: () =>
                Promise.resolve({
                  initialized: true,
                  sealed: sealed.includes(name),
                  standby: name !== active,
                  version: '',
                }),
            } as unknown as VaultServer['api'],
          }),
        ),
      ),
  };
  const clients = { vault } as unknown as Pick<Clients, 'vault'>;
  return {
    events,
    members: () => members,
    leave: (...servers: string[]) => removePeers(clients, servers, commandScope(new AbortController().signal)),
  };
}

const THREE = ['vault-0', 'vault-1', 'vault-2'];

describe('servers of Vault that leave', () => {
  for (const [name, raft, events] of [
    ['none of them is active', { peers: THREE, leader: 'vault-0' }, ['without vault-1', 'without vault-2']],
    [
      'the active one leaves last, after it has handed over',
      { peers: THREE, leader: 'vault-1' },
      ['without vault-2', 'vault-1 hands over', 'without vault-1'],
    ],
    ['one has left before', { peers: ['vault-0', 'vault-2'], leader: 'vault-0' }, ['without vault-2']],
    ['all have', { peers: ['vault-0'], leader: 'vault-0' }, []],
    [
      'ids that Vault has made up',
      { peers: THREE, leader: 'vault-0', ids: { 'vault-2': '3f2c9b1e-0a7d-4b6f-8c11-2d9e5f7a1b3c' } },
      ['without vault-1', 'without vault-2'],
    ],
    [
      'one that leaves is sealed',
      { peers: THREE, leader: 'vault-0', sealed: ['vault-2'] },
      ['without vault-1', 'without vault-2'],
    ],
  ] as [string, Raft, string[]][])
    test(name, async () => {
      const cluster = raftOf(raft);
      await cluster.leave('vault-2', 'vault-1');
      assert.deepEqual(cluster.events, events);
      assert.deepEqual(cluster.members(), ['vault-0']);
    });

  test('none leaves while one that stays is not open: there would be no majority', async () => {
    const cluster = raftOf({ peers: THREE, leader: 'vault-1', sealed: ['vault-0'] });
    await assert.rejects(cluster.leave('vault-2', 'vault-1'), {
      name: 'VaultUnreachableError',
      message: /^vault-0 would stay and is not open/,
    });
    assert.deepEqual(cluster.events, []);
  });

  test('none leaves where nobody would stay', async () => {
    const cluster = raftOf({ peers: ['vault-1', 'vault-2'], leader: 'vault-1' });
    await assert.rejects(cluster.leave('vault-2', 'vault-1'), { type: 'RejectedByCluster', message: /list-peers/ });
    assert.deepEqual(cluster.events, []);
  });

  test('where people hold the keys they are waited for', async () => {
    const cluster = raftOf({ peers: THREE, leader: 'vault-0', people: true });
    await assert.rejects(cluster.leave('vault-2', 'vault-1'), {
      name: 'VaultSealedError',
      message: 'waits for anna',
    });
    assert.deepEqual(cluster.events, []);
  });
});
