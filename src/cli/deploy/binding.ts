/**
 * An environment belongs to one cluster: the engine knows which, and a kubeconfig that means another one by now is
 * noticed.
 */
import type { Client } from '@temporalio/client';
import { claimCluster } from '../../effects/owner/claim.ts';
import { type OwnerKeeper, readableOwner } from '../../effects/owner/record.ts';
import type { Clients } from '../../clients/index.ts';
import { isForbidden } from '../../clients/kubernetes/index.ts';
import { bindCluster, closeTemporal, readBinding } from '../../clients/temporal/index.ts';
import { type ClusterBinding, clusterDifference } from '../../contract/cluster.ts';
import type { ClusterOwner } from '../../contract/owner.ts';
import type { Connections } from '../../environment/connections.ts';
import { platformName } from '../../environment/platform-folder.ts';
import type { Environment } from '../../environment/schema.ts';
import {
  OwnerMismatchError,
  type Ownership,
  requireOwnership,
  requireUnclaimed,
} from '../../plan/ownership/ownership.ts';
import { type CliError, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { type FoundCluster, found, onCluster } from './cluster.ts';
import type { Session } from './session.ts';

/**
 * Changes nothing in the cluster. An engine that has lost its binding gets it again from the cluster's own record.
 * @throws CliError (refused) where the environment is bound to another cluster; the client is closed then
 */
export async function requireBound(
  client: Client,
  environment: Pick<Environment, 'name' | 'platform'>,
  found: FoundCluster,
): Promise<void> {
  const { name } = environment;
  try {
    const bound = await readBinding(client, name);
    const problem = bound && otherCluster(name, bound, found);
    if (problem) throw problem;
    const ownership = requireOwned(environment, found, bound !== undefined);
    if (bound || ownership.state !== 'ours') return;
    const { boundBy, at } = ownership.owner;
    await bindCluster(client, { ...bindingOf(name, found, boundBy), at });
  } catch (error) {
    await closeTemporal(client).catch(() => undefined);
    throw error;
  }
}

/**
 * At the first deployment, on the cluster and then on the engine; later it finds what is there. Of two at the same
 * moment one wins.
 * @throws CliError (refused) when somebody was faster
 */
export async function bind(
  { environment, context: { config } }: Pick<Session, 'environment' | 'context'>,
  { client, cluster, connections }: { client: Client; cluster: FoundCluster; connections: Connections },
): Promise<ClusterOwner> {
  const { name } = environment;
  const owner = await onCluster(environment, connections, (kubernetes) =>
    claim(kubernetes, environment, cluster, { boundBy: config.requestedBy, bound: true }),
  );
  const bound = await bindCluster(client, bindingOf(name, cluster, config.requestedBy));
  const problem = otherCluster(name, bound, cluster);
  if (problem) throw problem;
  return owner;
}

/** @throws CliError (refused) that names the owner */
export async function claim(
  kubernetes: OwnerKeeper,
  environment: Pick<Environment, 'name' | 'platform' | 'protected'>,
  cluster: FoundCluster,
  by: { boundBy: string; bound: boolean },
  signal?: AbortSignal,
): Promise<ClusterOwner> {
  const { name } = environment;
  try {
    return await claimCluster(
      kubernetes,
      { environment: name, platform: platformName(environment), cluster, protected: environment.protected, ...by },
      signal,
    );
  } catch (error) {
    throw inWords(name, cluster.server, error);
  }
}

/** Looks only. @throws CliError (refused) that names the owner */
export function requireOwned(
  environment: Pick<Environment, 'name' | 'platform'>,
  found: FoundCluster,
  bound: boolean,
): Ownership {
  const { name } = environment;
  try {
    const claimant = { environment: name, platform: platformName(environment), cluster: found };
    if (found.record) return { state: 'ours', owner: requireOwnership(claimant, readableOwner(found.record)) };
    requireUnclaimed(claimant, { bound, labelled: found.labelled });
    return { state: 'unclaimed' };
  } catch (error) {
    throw inWords(name, found.server, error);
  }
}

/**
 * For commands that need no engine. For an identity that may not read the record nothing is checked; it changes nothing
 * here.
 * @throws CliError (refused) that names the owner
 */
export async function requireOwnCluster(
  { kubernetes, environment }: Pick<Clients, 'kubernetes' | 'environment'>,
  signal?: AbortSignal,
): Promise<void> {
  try {
    requireOwned(environment, await found(kubernetes, signal), false);
  } catch (error) {
    if (!isForbidden(error)) throw error;
  }
}

function inWords(name: string, server: string, error: unknown): unknown {
  if (!(error instanceof OwnerMismatchError)) return error;
  const { message, remedy, owner } = error;
  return refused(
    `${server}: ${message}`,
    ...(remedy === 'take-over' ? takeOverLines(name, owner) : [checkLine(name), rebindLine(name)]),
  );
}

/** What helps where the cluster is another's. */
export function takeOverLines(name: string, owner?: string): string[] {
  const who = owner === undefined || owner === name ? 'whoever owns it' : `"${owner}"`;
  return [
    checkLine(name),
    `${commandLine('rebind', '--env', name, '--take-over')}   (if ${who} gives the cluster up, with all that is on it, to "${name}")`,
  ];
}

function checkLine(name: string): string {
  return `Check "cluster" in environments/${name}.yaml, and the kubeconfig: they may name the wrong cluster.`;
}

function rebindLine(name: string): string {
  return `${commandLine('rebind', '--env', name)}   (if "${name}" is to be deployed to this cluster from now on)`;
}

export function bindingOf(
  environment: string,
  { uid, authority, server }: FoundCluster,
  boundBy: string,
): ClusterBinding {
  return {
    environment,
    uid,
    ...(authority === undefined ? {} : { authority }),
    server,
    boundBy,
    at: new Date().toISOString(),
  };
}

function otherCluster(name: string, bound: ClusterBinding, found: FoundCluster): CliError | undefined {
  const difference = clusterDifference(bound, found);
  if (difference === undefined) return undefined;
  return refused(
    `"${name}" belongs to another cluster than the one that ${found.server} answers for: ${difference}. It was bound to ${bound.server} by ${bound.boundBy} at ${bound.at}.`,
    checkLine(name),
    rebindLine(name),
  );
}
