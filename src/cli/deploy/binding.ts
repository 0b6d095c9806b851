/**
 * An environment belongs to one cluster: the engine knows which, and a kubeconfig that means another one by now is
 * noticed.
 */
import type { Client } from '@temporalio/client';
import { bindCluster, closeTemporal, readBinding } from '../../clients/temporal/index.ts';
import { type ClusterBinding, clusterDifference } from '../../contract/cluster.ts';
import type { Environment } from '../../environment/schema.ts';
import { type CliError, refused } from '../failure.ts';
import { commandLine } from '../format.ts';
import type { FoundCluster } from './cluster.ts';

/** @throws CliError (refused) where the environment is bound to another cluster; the client is closed then */
export async function requireBound(
  client: Client,
  { name }: Pick<Environment, 'name'>,
  found: FoundCluster,
): Promise<void> {
  const bound = await readBinding(client, name);
  const problem = bound && otherCluster(name, bound, found);
  if (!problem) return;
  await closeTemporal(client).catch(() => undefined);
  throw problem;
}

/**
 * At the first deployment; later it finds what is there. @throws CliError (refused) when somebody was faster, with
 * another cluster
 */
export async function bind(client: Client, environment: string, found: FoundCluster, boundBy: string): Promise<void> {
  const bound = await bindCluster(client, bindingOf(environment, found, boundBy));
  const problem = otherCluster(environment, bound, found);
  if (problem) throw problem;
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
    `Check "cluster" in environments/${name}.yaml, and the kubeconfig: they may name the wrong cluster.`,
    `${commandLine('rebind', '--env', name)}   (if "${name}" is to be deployed to this cluster from now on)`,
  );
}
