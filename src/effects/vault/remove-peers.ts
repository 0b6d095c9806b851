/**
 * Servers of Vault that leave its raft cluster before their pods go: one after the other, each only while all that stay
 * are open, the active one last, after it has handed over. So there is a majority at every moment. Only root may do
 * that: where people hold the keys it waits for their token. Configuring Vault, later in the same service, revokes it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Clients } from '../../clients/index.ts';
import { VaultError, VaultUnreachableError } from '../../clients/vault/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { EffectScope } from '../effect.ts';

const peersSchema = z.object({
  data: z.object({
    config: z.object({
      servers: z.array(
        z.object({
          node_id: z.string(),
          address: z.string().default(''),
          leader: z.boolean().default(false),
          voter: z.boolean().default(true),
        }),
      ),
    }),
  }),
});

export interface RaftPeer {
  id: string;
  /** Name of its pod. */
  server: string;
  leader: boolean;
  voter: boolean;
}

/** A UUID. */
const MADE_UP = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const CONFIGURATION = 'sys/storage/raft/configuration';
const HANDS_OVER_MILLISECONDS = 20_000;
const LOOK_MILLISECONDS = 300;
/** By a standby that cannot pass on what it is asked. */
const REDIRECTED = 307;
const ANSWERS_MILLISECONDS = 20_000;
/** Longer than the tunnel keeps an idle connection. */
const IDLE_MILLISECONDS = 2000;

type Acting = Pick<Clients, 'vault'>;

export async function removeRaftPeers(
  clients: Clients,
  { servers }: InputOf<'removeRaftPeers'>,
  scope: EffectScope,
): OutputOf<'removeRaftPeers'> {
  return { removed: await removePeers(clients, servers, scope) };
}

/**
 * One that is no peer any more is done: an attempt before this one has been here.
 * @returns names of those that this attempt has taken out
 */
export async function removePeers(clients: Acting, servers: readonly string[], scope: EffectScope): Promise<string[]> {
  const { signal } = scope;
  const removed: string[] = [];
  scope.doing('looks who is in raft');
  for (;;) {
    const peers = await raftPeers(clients, signal);
    const leaving = peers.filter(({ server }) => servers.includes(server));
    if (leaving.length === 0) return removed;
    const staying = peers.filter(({ server }) => !servers.includes(server));
    await assertOpen(clients, staying, signal);
    const next = leaving.find(({ leader }) => !leader);
    await scope.assertOurs();
    if (next === undefined) {
      scope.doing(`${leaving[0]?.server ?? ''} hands over`);
      await handOver(clients, servers, signal);
      continue;
    }
    scope.doing(`takes ${next.server} out of raft`);
    await asRoot(
      clients,
      (session) => session.write('sys/storage/raft/remove-peer', { server_id: next.id }, signal),
      signal,
    );
    removed.push(next.server);
  }
}

/** @throws VaultError, VaultUnreachableError, VaultWaitsForPeopleError */
export async function raftPeers(clients: Acting, signal: AbortSignal): Promise<RaftPeer[]> {
  const answer = await asRoot(clients, (session) => session.read(CONFIGURATION, signal), signal);
  return peersSchema.parse(answer).data.config.servers.map(({ node_id: id, address, leader, voter }) => ({
    id,
    // The charts give it the pod's name; where Vault has made one up, its address begins with that name.
    server: MADE_UP.test(id) ? (address.split('.')[0] ?? id) : id,
    leader,
    voter,
  }));
}

/** With those that stay alone it has to go on. */
async function assertOpen({ vault }: Acting, staying: readonly RaftPeer[], signal: AbortSignal): Promise<void> {
  const voters = staying.filter(({ voter }) => voter).map(({ server }) => server);
  if (voters.length === 0)
    throw new DeployError(
      FAILURES.rejectedByCluster,
      'No server of Vault that would stay is a voter of its raft cluster: nothing was taken out of it. vault operator raft list-peers shows who is.',
    );
  const running = await vault.servers(signal);
  const states = await Promise.all(
    voters.map(async (name) => {
      const server = running.find((one) => one.name === name);
      const health = await server?.api.health(signal).catch(() => undefined);
      return { name, open: health !== undefined && health.initialized && !health.sealed };
    }),
  );
  const closed = states.filter(({ open }) => !open).map(({ name }) => name);
  if (closed.length > 0)
    throw new VaultUnreachableError(
      `${closed.join(', ')} would stay and is not open: no server is taken out of raft before all that stay are, or there would be no majority`,
    );
}

/** Whoever is elected is no peer that leaves: those that are no leader have left before. */
async function handOver(clients: Acting, leaving: readonly string[], signal: AbortSignal): Promise<void> {
  await asRoot(clients, (session) => session.write('sys/step-down', {}, signal), signal);
  const deadline = Date.now() + HANDS_OVER_MILLISECONDS;
  for (;;) {
    const leader = (await raftPeers(clients, signal).catch(passing)).find((peer) => peer.leader);
    if (leader !== undefined && !leaving.includes(leader.server)) return;
    if (Date.now() > deadline)
      throw new VaultUnreachableError(
        `no server of Vault that stays has become active within ${HANDS_OVER_MILLISECONDS / 1000} s`,
      );
    await sleep(LOOK_MILLISECONDS, undefined, { signal });
  }
}

/** While nobody is active. */
function passing(error: unknown): RaftPeer[] {
  if (isPassing(error)) return [];
  throw error;
}

function isPassing(error: unknown): boolean {
  return (
    error instanceof VaultUnreachableError ||
    (error instanceof VaultError && (error.status >= 500 || error.status === REDIRECTED))
  );
}

type Session = Parameters<Parameters<Clients['vault']['root']['run']>[0]>[0];

/**
 * Again for a while where whoever is asked is not, or no longer, one of the cluster: a connection to a server that has
 * left is kept until it has been idle for some time.
 */
async function asRoot<T>({ vault }: Acting, work: (session: Session) => Promise<T>, signal: AbortSignal): Promise<T> {
  const deadline = Date.now() + ANSWERS_MILLISECONDS;
  for (;;) {
    try {
      return await vault.root.run(work, signal);
    } catch (error) {
      if (!isPassing(error) || Date.now() > deadline) throw error;
    }
    await sleep(IDLE_MILLISECONDS, undefined, { signal });
  }
}
