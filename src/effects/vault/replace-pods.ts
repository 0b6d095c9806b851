/**
 * Where Kubernetes leaves it to us (OnDelete) pods of Vault are replaced one by one: standbys first, each running and
 * open again before the next, the active one last, after it has handed over. A pod whose template has not changed is
 * left alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import { VaultError, type VaultServer, VaultUnreachableError } from '../../clients/vault/index.ts';
import { namespaceOf, vaultPods, type VaultPods } from './server.ts';

export interface Replacing {
  /** Opens all servers again. @throws when people are waited for: what is left is replaced by the next attempt */
  open: () => Promise<unknown>;
  signal: AbortSignal;
  onStatus: (text: string) => void;
}

const SETTLES_MILLISECONDS = 15_000;
const COMES_BACK_MILLISECONDS = 300_000;
const HANDS_OVER_MILLISECONDS = 10_000;
const LOOK_MILLISECONDS = 500;

type Acting = Pick<Clients, 'catalog' | 'kubernetes' | 'vault'>;

/** All servers are open when it begins, and when it ends. @returns names of the pods that were replaced */
export async function replaceOutdatedPods(clients: Acting, replacing: Replacing): Promise<string[]> {
  const { signal, onStatus, open } = replacing;
  const replaced: string[] = [];
  for (;;) {
    const pods = await settledPods(clients, signal);
    if (pods === undefined || !pods.onDelete || pods.outdated.length === 0) return replaced;
    const active = await activeServer(clients, signal);
    const next = pods.outdated.find(({ name }) => name !== active) ?? pods.outdated[0];
    if (next === undefined) return replaced;
    if (next.name === active && pods.replicas > 1) {
      onStatus(`${next.name} hands over`);
      await handOver(clients, next.name, signal);
    }
    onStatus(`replaces ${next.name}, ${pods.outdated.length - 1} more to go`);
    await clients.kubernetes.remove(
      `${paths.pods(namespaceOf(clients.catalog))}/${next.name}`,
      { uid: next.uid },
      signal,
    );
    await comesBack(clients, next, signal);
    onStatus(`opens ${next.name}`);
    await open();
    replaced.push(next.name);
  }
}

/** Right after an apply Kubernetes has not numbered the new template yet. */
async function settledPods(clients: Acting, signal: AbortSignal): Promise<VaultPods | undefined> {
  const deadline = Date.now() + SETTLES_MILLISECONDS;
  for (;;) {
    const pods = await vaultPods(clients, signal);
    if (pods === undefined || pods.settled || Date.now() > deadline) return pods;
    await sleep(LOOK_MILLISECONDS, undefined, { signal });
  }
}

async function activeServer({ vault }: Acting, signal: AbortSignal): Promise<string | undefined> {
  const states = await Promise.all(
    (await vault.servers(signal)).map(async ({ name, api }: VaultServer) => ({
      name,
      health: await api.health(signal).catch(() => undefined),
    })),
  );
  return states.find(({ health }) => health?.initialized && !health.sealed && !health.standby)?.name;
}

/** Without the right to ask for it the server hands over all the same when it is ended, a little later. */
async function handOver(clients: Acting, name: string, signal: AbortSignal): Promise<void> {
  try {
    await clients.vault.asDeployer((session) => session.write('sys/step-down', {}, signal), signal);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return;
  }
  const deadline = Date.now() + HANDS_OVER_MILLISECONDS;
  while (Date.now() < deadline) {
    const active = await activeServer(clients, signal);
    if (active !== undefined && active !== name) return;
    await sleep(LOOK_MILLISECONDS, undefined, { signal });
  }
}

async function comesBack(
  { kubernetes, vault, catalog }: Acting,
  { name, uid }: { name: string; uid: string },
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + COMES_BACK_MILLISECONDS;
  for (;;) {
    const found = await kubernetes.get(`${paths.pods(namespaceOf(catalog))}/${name}`, signal);
    if (
      found !== undefined &&
      found.metadata.uid !== uid &&
      (await vault.servers(signal)).some((server) => server.name === name)
    )
      return;
    if (Date.now() > deadline)
      throw new VaultUnreachableError(
        `the new pod ${name} does not run ${COMES_BACK_MILLISECONDS / 1000} s after the old one was deleted; the others have not been touched`,
      );
    await sleep(LOOK_MILLISECONDS, undefined, { signal });
  }
}
