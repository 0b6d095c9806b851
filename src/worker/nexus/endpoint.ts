/** The environment's Nexus endpoint: workers create it, or remove it, when they start. */
import type { Client } from '@temporalio/client';
import { reconcileEndpoints } from '../../clients/temporal/nexus.ts';
import { createCommand, type WantedEndpoint, wantedEndpoint } from '../../contract/nexus/endpoint.ts';
import type { Environment } from '../../environment/schema.ts';

/**
 * Also where the environment's file has no `nexus`: then it removes what an earlier state of the file had made. One
 * request where nothing is to be done; an engine that refuses it does not keep the worker from starting.
 *
 * @returns what was done, or has to be done by somebody else: lines for the log
 */
export async function reconcileEndpoint(
  client: Pick<Client, 'connection'>,
  { name, nexus }: Pick<Environment, 'name' | 'nexus'>,
  namespace: string,
): Promise<string[]> {
  const wanted = wantedEndpoint(name, namespace, nexus?.endpoint);
  try {
    const { outcome, removed } = await reconcileEndpoints(client, wanted, nexus !== undefined);
    return [
      ...(outcome === undefined ? [] : endpointLines(wanted, outcome)),
      ...removed.map((other) => `Removed the Nexus endpoint ${other}, which the environment's file wants no more`),
    ];
  } catch (error) {
    // The worker serves everything else.
    const text = error instanceof Error ? error.message : String(error);
    return nexus === undefined ? [] : [`The Nexus endpoint ${wanted.name} could not be looked after: ${text}`];
  }
}

function endpointLines(wanted: WantedEndpoint, outcome: string): string[] {
  const { name } = wanted;
  if (outcome === 'created') return [`Made the Nexus endpoint ${name}`];
  if (outcome === 'foreign')
    return [
      `The engine has a Nexus endpoint ${name} that is not ours, and it is left alone: name another one (nexus.endpoint)`,
    ];
  if (outcome === 'forbidden')
    return [`Only an operator of the engine may make the Nexus endpoint ${name}: ${createCommand(wanted)}`];
  return [];
}
