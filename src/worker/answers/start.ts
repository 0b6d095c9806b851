/** Starts what takes answers, where the environment's file asks for it. A worker that cannot works all the same. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Client } from '@temporalio/client';
import type { Clients } from '../../clients/index.ts';
import { isRunAlive, recentBinding } from '../../clients/temporal/index.ts';
import { questionState } from '../../clients/temporal/questions.ts';
import { updateWorkflow } from '../../clients/temporal/update.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { UPDATES } from '../../contract/messages.ts';
import type { SteerAnswer } from '../../contract/operations/steering.ts';
import { answerKey } from '../../effects/notify/answer-key.ts';
import { resolveReference } from '../../effects/notify/resolve.ts';
import type { AnswerSettings } from '../../environment/fields/notify.ts';
import { listenAddress } from '../../environment/fields/telemetry.ts';
import type { Operations } from './reply.ts';
import { createAnswerServer } from './server.ts';

/** Cluster or Vault are not asked for each request. */
const REMEMBERED_MILLISECONDS = 30_000;
const RESOLVE_MILLISECONDS = 5000;

export interface AnswersStarted {
  port: number;
  close: () => void;
}

/** @returns undefined where it cannot listen; what is wrong was said */
export async function startAnswers(
  clients: Clients,
  engine: { readonly client: Client },
  links: AnswerSettings,
  say: (text: string) => void,
): Promise<AnswersStarted | undefined> {
  const { environment, redactor } = clients;
  const { host, port } = listenAddress(links.listen);
  try {
    const server = createAnswerServer({
      environment: environment.name,
      operations: operationsOf(engine),
      url: links.url,
      redactor,
      say,
      key: remembered(async (signal) => answerKey(clients, links, await clusterOf(engine, environment.name), signal)),
      tls: links.tls && (await tlsOf(clients, engine, links.tls)),
    });
    server.listen({ host, port, exclusive: true });
    await Promise.race([
      once(server, 'listening'),
      once(server, 'error').then(([error]) => Promise.reject(error as Error)),
    ]);
    return {
      port: (server.address() as AddressInfo).port,
      close: () => {
        server.close();
        server.closeAllConnections();
      },
    };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    say(`Links of notifications are not answered by this worker (notify.links): ${redactor.redact(text)}`);
    return undefined;
  }
}

/** Reads the state from the engine, and sends answers as updates to the workers. */
export function operationsOf(engine: { readonly client: Client }): Operations {
  return {
    question: (run, about) => questionState(engine.client, run, about),
    isRunning: (run) => isRunAlive(engine.client, run.workflowId, run.runId),
    steer: (run, request) => updateWorkflow<SteerAnswer>(engine.client, run, UPDATES.steer, request),
  };
}

async function tlsOf(
  clients: Clients,
  engine: { readonly client: Client },
  { cert, key }: NonNullable<AnswerSettings['tls']>,
): Promise<{ cert: string; key: string }> {
  const clusterUid = await clusterOf(engine, clients.environment.name);
  const signal = AbortSignal.timeout(RESOLVE_MILLISECONDS);
  const read = (reference: typeof cert, field: string): Promise<string> =>
    resolveReference(clients, { reference, field: `notify.links.tls.${field}`, clusterUid }, signal);
  return { cert: await read(cert, 'cert'), key: await read(key, 'key') };
}

/** @throws DeployError where nothing was ever deployed: nothing asks anybody then */
async function clusterOf(engine: { readonly client: Client }, environment: string): Promise<string> {
  const bound = await recentBinding(engine.client, environment);
  if (bound) return bound.uid;
  throw new DeployError(FAILURES.invalidInput, `nothing was ever deployed to "${environment}"`);
}

/** One that failed is asked for again at once. */
function remembered(read: (signal: AbortSignal) => Promise<string>): () => Promise<string> {
  let known: { until: number; value: Promise<string> } | undefined;
  return () => {
    if (known && known.until > Date.now()) return known.value;
    const value = read(AbortSignal.timeout(RESOLVE_MILLISECONDS));
    known = { until: Date.now() + REMEMBERED_MILLISECONDS, value };
    value.catch(() => {
      known = undefined;
    });
    return value;
  };
}
