/** One attempt at a check that asks a server. What goes wrong on the way is an answer, too: it does not pass yet. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { HttpCheck, PromqlCheck, Service } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import type { Environment } from '../../environment/schema.ts';
import { headersOf } from '../../clients/headers-file.ts';
import { type Judgement, judgeHttp, judgeQuery } from '../../plan/checks/expectations.ts';
import { findService } from '../../plan/releases.ts';
import { knownWorkloads, podsOf, readyPods } from '../observe/workloads.ts';
import { type PodAnswer, type PodRequest, requestPod } from '../probe/request.ts';

type Asking = Pick<Clients, 'catalog' | 'config' | 'kubernetes' | 'vault' | 'redactor'>;

/** One attempt, its connection included. */
const ATTEMPT_SECONDS = 8;
/** What an answer may take that is too late. */
const LATE_SECONDS = 2;

/** Never throws, except for the signal. */
export async function askOnce(
  clients: Asking,
  environment: Environment,
  service: Service,
  check: HttpCheck | PromqlCheck,
  signal: AbortSignal,
): Promise<Judgement> {
  const within = check.kind === 'http' ? (check.expect.withinSeconds ?? 0) : 0;
  const limit = Math.max(ATTEMPT_SECONDS, within + LATE_SECONDS);
  const timeout = AbortSignal.timeout(limit * 1000);
  try {
    const limited = AbortSignal.any([signal, timeout]);
    return check.kind === 'http'
      ? judgeHttp(check, await askService(clients, service, check, limited))
      : judgeQuery(check, await askPrometheus(clients, environment, check.query, limited));
  } catch (error) {
    signal.throwIfAborted();
    const why = timeout.aborted
      ? `no answer within ${limit} s`
      : error instanceof Error
        ? error.message
        : String(error);
    return { ok: false, text: `${check.kind === 'http' ? `${check.method} ${check.path}` : check.query}: ${why}` };
  }
}

async function askService(
  clients: Asking,
  { namespace, name }: Service,
  request: PodRequest,
  signal: AbortSignal,
): Promise<PodAnswer> {
  const { kubernetes } = clients;
  const release = { namespace, name };
  const pods = await podsOf(kubernetes, release, knownWorkloads(kubernetes.watches, release), signal);
  const [pod] = readyPods(pods, request.port);
  if (pod === undefined) throw new Error(`${name} has no ready pod to ask`);
  return requestPod(clients, { namespace, release: name, pod: pod.metadata.name }, request, signal);
}

/** @returns body of `/api/v1/query`, whatever its status: it says what is wrong */
async function askPrometheus(
  clients: Asking,
  { prometheus: theirs }: Environment,
  query: string,
  signal: AbortSignal,
): Promise<string> {
  const path = `/api/v1/query?query=${encodeURIComponent(query)}`;
  if (theirs === undefined) {
    const { prometheus: ours } = clients.catalog;
    // An environment that says neither is refused before anything is started.
    if (ours === undefined) throw new Error('neither the platform nor the environment has a Prometheus');
    const { body } = await askService(
      clients,
      findService(clients.catalog, ours.service),
      { port: ours.port, path },
      signal,
    );
    return body;
  }
  const { url, headersFile } = theirs;
  const headers =
    headersFile === undefined
      ? {}
      : headersOf(await readFile(resolve(clients.config.repoRoot, headersFile), 'utf8'), 'prometheus.headersFile');
  clients.redactor.learn(...Object.values(headers), ...Object.values(headers).map((value) => value.split(' ').at(-1)));
  // Followed elsewhere it would take the headers along.
  const answer = await fetch(`${url.replace(/\/+$/, '')}${path}`, { headers, redirect: 'manual', signal });
  return answer.text();
}
