/** Nexus endpoints on the engine. An engine has one table of them for all of its namespaces. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import type { WantedEndpoint } from '../../contract/nexus/endpoint.ts';
import { GRPC, grpcCode, isDenied } from './connection/problems.ts';

type Endpoint = temporal.api.nexus.v1.IEndpoint;
type Engine = Pick<Client, 'connection'>;

export interface EndpointView {
  name: string;
  namespace: string;
  taskQueue: string;
  description: string;
  /** Exactly as we have made it. */
  ours: boolean;
}

export type EndpointOutcome =
  | 'created'
  | 'unchanged'
  /** Somebody else's stands under that name: it is left alone. */
  | 'foreign'
  /** Only an operator of the engine may make one. */
  | 'forbidden';

const PAGE = 100;

/** @returns undefined where there is none of that name */
export async function describeEndpoint(client: Engine, wanted: WantedEndpoint): Promise<EndpointView | undefined> {
  const found = await find(client, wanted.name);
  return found && viewOf(found, wanted);
}

/** Safe to repeat. One that differs in anything is not ours: it is neither changed nor removed. */
async function ensureEndpoint(client: Engine, wanted: WantedEndpoint): Promise<EndpointOutcome> {
  const { name, namespace, taskQueue, description } = wanted;
  try {
    const found = await find(client, name);
    if (found) return viewOf(found, wanted).ours ? 'unchanged' : 'foreign';
    await client.connection.operatorService.createNexusEndpoint({
      spec: {
        name,
        description: defaultPayloadConverter.toPayload(description),
        target: { worker: { namespace, taskQueue } },
      },
    });
    return 'created';
  } catch (error) {
    const code = grpcCode(error);
    if (isDenied(code)) return 'forbidden';
    if (code !== GRPC.alreadyExists) throw error;
    // Another worker was faster.
    const found = await find(client, name);
    return found && viewOf(found, wanted).ours ? 'unchanged' : 'foreign';
  }
}

/** @returns absent: there was none; foreign: it is not ours, and stays */
export async function removeEndpoint(
  client: Engine,
  wanted: WantedEndpoint,
): Promise<'removed' | 'absent' | 'foreign' | 'forbidden'> {
  try {
    const found = await find(client, wanted.name);
    if (!found) return 'absent';
    if (!viewOf(found, wanted).ours) return 'foreign';
    await client.connection.operatorService.deleteNexusEndpoint({ id: found.id ?? '', version: found.version ?? null });
    return 'removed';
  } catch (error) {
    const code = grpcCode(error);
    if (isDenied(code)) return 'forbidden';
    if (code === GRPC.notFound) return 'absent';
    throw error;
  }
}

export interface ReconciledEndpoints {
  /** Of the one that the environment's file wants; absent: it wants none. */
  outcome?: EndpointOutcome;
  /** Ours that the file does not want any more, by name: removed. */
  removed: string[];
}

/**
 * As the environment's file says: one of the wanted name, and none of ours besides.
 * @param keep false: the file wants none
 */
export async function reconcileEndpoints(
  client: Engine,
  wanted: WantedEndpoint,
  keep: boolean,
): Promise<ReconciledEndpoints> {
  const outcome = keep ? { outcome: await ensureEndpoint(client, wanted) } : {};
  const removed: string[] = [];
  for (const { name } of await ourEndpoints(client, wanted)) {
    if (keep && name === wanted.name) continue;
    if ((await removeEndpoint(client, { ...wanted, name })) === 'removed') removed.push(name);
  }
  return { ...outcome, removed };
}

/** By whatever name; none where only an operator may list them. */
async function ourEndpoints(client: Engine, wanted: WantedEndpoint): Promise<EndpointView[]> {
  const found: EndpointView[] = [];
  let nextPageToken: Uint8Array | undefined;
  try {
    do {
      const page = await client.connection.operatorService.listNexusEndpoints({
        pageSize: PAGE,
        ...(nextPageToken ? { nextPageToken } : {}),
      });
      found.push(...page.endpoints.map((endpoint) => viewOf(endpoint, wanted)));
      nextPageToken = page.nextPageToken.length > 0 ? page.nextPageToken : undefined;
    } while (nextPageToken);
  } catch (error) {
    if (!isDenied(grpcCode(error))) throw error;
  }
  return found.filter(({ ours }) => ours);
}

async function find(client: Engine, name: string): Promise<Endpoint | undefined> {
  const { endpoints } = await client.connection.operatorService.listNexusEndpoints({ name, pageSize: PAGE });
  return endpoints.find(({ spec }) => spec?.name === name);
}

function viewOf({ spec }: Endpoint, wanted: WantedEndpoint): EndpointView {
  const worker = spec?.target?.worker;
  const view = {
    name: spec?.name ?? '',
    namespace: worker?.namespace ?? '',
    taskQueue: worker?.taskQueue ?? '',
    description: descriptionOf(spec?.description),
  };
  return {
    ...view,
    ours:
      view.namespace === wanted.namespace &&
      view.taskQueue === wanted.taskQueue &&
      view.description === wanted.description,
  };
}

/** As somebody may have written it with any tool. */
function descriptionOf(payload: temporal.api.common.v1.IPayload | null | undefined): string {
  if (!payload) return '';
  try {
    return String(defaultPayloadConverter.fromPayload(payload));
  } catch {
    return '';
  }
}
