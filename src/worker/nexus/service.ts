/**
 * The handlers of the Nexus operations: who asks is who the engine says, what is asked for is checked, and a workflow
 * is started that carries it out. They do nothing themselves.
 */
import { startWorkflow, type WorkflowHandle, WorkflowRunOperationHandler } from '@temporalio/nexus';
import { type OperationHandler, type ServiceHandler, serviceHandler, type StartOperationContext } from 'nexus-rpc';
import { z } from 'zod';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { Clients } from '../../clients/index.ts';
import { recentBinding } from '../../clients/temporal/index.ts';
import { lockHolderOf } from '../../clients/temporal/lock.ts';
import { FAILURES } from '../../contract/failures.ts';
import { nexusWorkflowId, operationWorkflowId, WORKFLOW_TYPES } from '../../contract/names.ts';
import { ananta } from '../../contract/nexus/service.js';
import type { NexusRequest } from '../../contract/nexus/messages.ts';
import type { NexusOperation, NexusRun } from '../../contract/nexus/operations.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/search-attributes.ts';
import type { Confirmation } from '../../contract/operations/deploy.ts';
import type { Environment } from '../../environment/schema.ts';
import { requireAllowed, requireConfirmed, requireOpenableGates, requireSource } from '../../plan/nexus/allowed.ts';
import { callerOf, callerText } from '../../plan/nexus/caller.ts';
import { readInput, selectionOf } from '../../plan/nexus/input.ts';
import { NexusRefusedError } from '../../plan/nexus/refused.ts';
import { tryJson } from '../../try-json.ts';
import { handlerError } from './errors.ts';
import { statusOf } from './status.ts';

export interface NexusParts {
  clients: Pick<Clients, 'catalog' | 'kubernetes' | 'redactor'>;
  /** Its connection is exchanged for another one when certificates are. */
  engine: { readonly client: Client };
  /** The environment's file as it is now. */
  environment: () => Promise<Environment>;
}

/** Who has asked, for what, of which environment: nothing is shown to anybody else. */
interface Admitted {
  environment: Environment;
  clusterUid: string;
  requestedBy: string;
}

export function nexusService(parts: NexusParts): ServiceHandler {
  const admit = async (operation: NexusOperation, { inboundLinks }: StartOperationContext): Promise<Admitted> => {
    const environment = await parts.environment();
    const caller = callerOf(inboundLinks);
    requireAllowed(environment, operation, caller);
    const bound = await recentBinding(parts.engine.client, environment.name);
    if (bound === undefined)
      throw new NexusRefusedError(
        FAILURES.invalidInput,
        `Nothing was ever deployed to "${environment.name}": the first deployment is a person's, since it says which cluster the environment belongs to.`,
      );
    return { environment, clusterUid: bound.uid, requestedBy: callerText(caller) };
  };
  /** Every error leaves as Nexus' own. */
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw handlerError(error, parts.clients.redactor);
    }
  };
  const runs = <Input, Output>(
    operation: NexusRun,
    requestOf: (admitted: Admitted, input: unknown) => Promise<NexusRequest>,
  ): OperationHandler<Input, Output> => {
    const handler = new WorkflowRunOperationHandler<Input, Output>((context, input) =>
      guarded(async () => start<Output>(context, operation, await requestOf(await admit(operation, context), input))),
    );
    return {
      start: (context, input) => handler.start(context, input),
      cancel: (_context, token) =>
        guarded(async () => cancelOnce(parts.engine.client, (await parts.environment()).name, token)),
    };
  };
  return serviceHandler(ananta, {
    status: (context, input) =>
      guarded(async () => {
        const { environment, clusterUid } = await admit('status', context);
        readInput('status', input);
        return statusOf(parts.clients, parts.engine.client, environment.name, clusterUid);
      }),
    verify: runs('verify', ({ environment, ...asked }, input) => {
      const { drift } = readInput('verify', input);
      return Promise.resolve({ kind: 'verify', environment: environment.name, ...asked, drift });
    }),
    deploy: runs('deploy', async (admitted, input) => {
      const read = readInput('deploy', input);
      const selection = selectionOf(parts.clients.catalog, read);
      const changing = await changingRequest(parts.engine.client, admitted, read);
      return { kind: 'deploy', ...changing, imageTags: read.images, ...(selection ? { selection } : {}) };
    }),
    promote: runs('promote', async (admitted, input) => {
      const read = readInput('promote', input);
      requireSource(admitted.environment, read.from);
      const { from, version, pastNoReturn } = read;
      const changing = await changingRequest(parts.engine.client, admitted, read);
      return { kind: 'promote', ...changing, from, pastNoReturn, ...(version === undefined ? {} : { version }) };
    }),
  });
}

interface ReadChanging {
  confirm?: string | undefined;
  planDigest?: string | undefined;
  timeoutSeconds?: number | undefined;
  ifRunning: 'queue' | 'attach' | 'refuse';
}

/** What deployments and promotions have in common. @throws NexusRefusedError */
async function changingRequest(
  engine: Client,
  { environment, clusterUid, requestedBy }: Admitted,
  { confirm, planDigest, timeoutSeconds, ifRunning }: ReadChanging,
) {
  const { name } = environment;
  requireConfirmed(environment, confirm);
  requireOpenableGates(environment);
  if (ifRunning === 'refuse') {
    const holder = await lockHolderOf(engine, operationWorkflowId(name, clusterUid));
    if (holder)
      throw new NexusRefusedError(
        FAILURES.lockHeld,
        `${holder.operation} on "${name}" by ${holder.requestedBy} holds the lock since ${holder.since}: nothing of what was asked for was done.`,
      );
  }
  const confirmation: Confirmation | undefined =
    confirm === undefined ? undefined : { environment: name, operation: 'deploy', requestedBy };
  return {
    environment: name,
    clusterUid,
    requestedBy,
    ifRunning,
    ...(planDigest === undefined ? {} : { expectedDigest: planDigest }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(confirmation ? { confirmation } : {}),
  };
}

/** Named after the request: whoever repeats it gets the same operation, also when it has ended. */
function start<Output>(
  context: StartOperationContext,
  operation: NexusRun,
  request: NexusRequest,
): Promise<WorkflowHandle<Output>> {
  const { environment, requestedBy } = request;
  return startWorkflow<(request: NexusRequest) => Promise<Output>>(context, WORKFLOW_TYPES.nexusOperation, {
    workflowId: nexusWorkflowId(environment, operation, context.requestId),
    args: [request],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    memo: { operation, requestedBy },
    typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.environment, value: environment }],
    staticSummary: `${operation} on ${environment} for ${requestedBy}`,
    staticDetails: `Requested by ${requestedBy} through Nexus`,
  });
}

/** Cancelling again, or after the end, is not an error. */
async function cancelOnce(engine: Client, environment: string, token: string): Promise<void> {
  const workflowId = workflowOfToken(token);
  // Nothing else of our namespace is cancelled by this, whatever a token says.
  if (workflowId?.startsWith(nexusWorkflowId(environment, '', '').slice(0, -1)) !== true)
    throw new NexusRefusedError(FAILURES.invalidInput, 'That is no token of an operation of this environment.');
  try {
    await engine.workflow.getHandle(workflowId).cancel();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/** As the SDK makes them: JSON in base64url, with the workflow's id. */
const tokenSchema = z.object({ t: z.literal(1), wid: z.string() });

function workflowOfToken(token: string): string | undefined {
  const read = tokenSchema.safeParse(tryJson(Buffer.from(token, 'base64url').toString('utf8')));
  return read.success ? read.data.wid : undefined;
}
