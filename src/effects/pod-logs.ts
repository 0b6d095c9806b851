/** Logs of all pods of a service, its Jobs' too, without the platform's values; for `ananta logs`. Reads only. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Service } from '../catalog/schema.ts';
import type { Clients } from '../clients/index.ts';
import { isNotFound, type KubernetesObject } from '../clients/kubernetes/index.ts';
import type { LogLine } from '../plan/explain/log-line.ts';
import { podTrouble } from '../plan/health/index.ts';
import { releasesOf } from '../plan/releases.ts';
import { readPods, readWorkloads } from './observe/workloads.ts';
import { registerAllSecrets } from './vault/register-all.ts';

export type { LogLine } from '../plan/explain/log-line.ts';

interface Container {
  namespace: string;
  pod: string;
  container: string;
  /** How often it has been started anew. */
  restarts: number;
  running: boolean;
  /** Whether it has begun to write. */
  started: boolean;
  /** Whether its pod has met something. */
  trouble: boolean;
}

type Reading = Pick<Clients, 'environment' | 'catalog' | 'kubernetes' | 'vault' | 'redactor'>;

export interface PodLogOptions {
  /** Of each container. */
  lines: number;
  /** Of the containers before their last restart. */
  previous?: boolean;
  /** Of pods that have met something alone. */
  inTrouble?: boolean;
  signal: AbortSignal;
}

export interface FollowOptions extends PodLogOptions {
  /** More is read when it has ended. */
  onLine: (line: LogLine) => unknown;
  /** Why a container's log cannot be followed, once for each reason. */
  onProblem: (text: string) => void;
}

/** Changes of pods are watched; a connection that broke is opened again after this time at the latest. */
const LOOK_MILLISECONDS = 5000;

const state = z.object({ running: z.unknown().optional(), terminated: z.unknown().optional() }).nullish();
const statuses = z
  .array(z.object({ name: z.string(), restartCount: z.number().default(0), state, lastState: state }))
  .nullish();
const schema = z.object({
  spec: z.object({
    initContainers: z.array(z.object({ name: z.string() })).nullish(),
    containers: z.array(z.object({ name: z.string() })),
  }),
  status: z.object({ initContainerStatuses: statuses, containerStatuses: statuses }).prefault({}),
});

/**
 * What is there now, of all replicas, in the order of time.
 * @returns lines, and for how many containers there was one to read
 */
export async function readPodLogs(
  clients: Reading,
  service: Service,
  { lines, previous = false, inTrouble = false, signal }: PodLogOptions,
): Promise<{ lines: LogLine[]; containers: number; cleaned: boolean }> {
  const cleaned = await registerAllSecrets(clients, signal);
  const containers = (await containersOf(clients, service, signal)).filter(
    ({ started, restarts, trouble }) => (previous ? restarts > 0 : started) && (trouble || !inTrouble),
  );
  const read = await Promise.all(
    containers.map(async ({ namespace, pod, container }) => {
      const options = { previous, tailLines: lines, timestamps: true };
      const text = await clients.kubernetes.podLog({ namespace, pod }, container, options, signal);
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => lineOf(clients, pod, container, line));
    }),
  );
  // Lines of one container stay in its order, whatever the clocks of two nodes say.
  const merged = read.flat().sort((a, b) => a.at.localeCompare(b.at));
  return { lines: merged, containers: containers.length, cleaned };
}

/** Goes on with pods that come and containers that are started anew, until the signal: never by itself. */
export async function followPodLogs(clients: Reading, service: Service, options: FollowOptions): Promise<void> {
  const { signal } = options;
  const { watches } = clients.kubernetes;
  await watches.synced(signal);
  const followers = new Map<string, Follower>();
  let changed = Promise.withResolvers<undefined>();
  const ends = releasesOf(service).map(({ namespace, name }) =>
    watches.listen(namespace, name, () => changed.resolve(undefined)),
  );
  try {
    while (!signal.aborted) {
      changed = Promise.withResolvers();
      const there = (await containersOf(clients, service, signal)).filter(({ started }) => started);
      // A container reads what Vault holds when it starts, which may be newer than what was learned.
      if (there.some((one) => !followers.has(keyOf(one)))) await registerAllSecrets(clients, signal);
      for (const one of there) {
        const key = keyOf(one);
        const known = followers.get(key);
        if (known && !goesOn(known, one)) continue;
        const follower: Follower = { restarts: one.restarts, seen: known?.seen ?? '', undated: false, ended: false };
        followers.set(key, follower);
        void followOne(clients, one, follower, options);
      }
      await Promise.race([changed.promise, sleep(LOOK_MILLISECONDS, undefined, { signal }).catch(() => undefined)]);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    for (const end of ends) end();
  }
}

function keyOf({ pod, container }: Container): string {
  return `${pod}/${container}`;
}

function goesOn({ ended, undated, restarts }: Follower, container: Container): boolean {
  return ended && (container.restarts > restarts || (container.running && !undated));
}

interface Follower {
  restarts: number;
  /** Time of its newest line. */
  seen: string;
  /** Its lines bear no time, as a simulated container's: nobody knows where to go on after a break. */
  undated: boolean;
  ended: boolean;
}

async function followOne(
  clients: Reading,
  { namespace, pod, container }: Container,
  follower: Follower,
  { lines, signal, onLine, onProblem }: FollowOptions,
): Promise<void> {
  // Where it goes on after a break, the second of the last line comes again.
  const from = follower.seen;
  const begin = from === '' ? { tailLines: lines } : { since: from };
  try {
    for await (const text of clients.kubernetes.followPodLog({ namespace, pod }, container, begin, signal)) {
      const line = lineOf(clients, pod, container, text);
      if (from !== '' && line.at !== '' && line.at <= from) continue;
      if (line.at === '') follower.undated = true;
      else follower.seen = line.at;
      await onLine(line);
    }
  } catch (error) {
    if (!signal.aborted && !isNotFound(error)) onProblem(error instanceof Error ? error.message : String(error));
  } finally {
    follower.ended = true;
  }
}

async function containersOf({ kubernetes }: Reading, service: Service, signal: AbortSignal): Promise<Container[]> {
  const releases = releasesOf(service).filter(({ kind }) => kind === 'release');
  const pods = await Promise.all(
    releases.map(async (release) => {
      const workloads = await readWorkloads(kubernetes, release, signal);
      const found = await readPods(kubernetes, release, workloads, signal);
      return found.flatMap((pod) => containersIn(pod, release.namespace));
    }),
  );
  return pods.flat();
}

function containersIn(object: KubernetesObject, namespace: string): Container[] {
  const { spec, status } = schema.parse(object);
  const known = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const trouble = podTrouble(object) !== undefined;
  return [...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => {
    const found = known.find((one) => one.name === name);
    const running = Boolean(found?.state?.running);
    return {
      namespace,
      pod: object.metadata.name,
      container: name,
      restarts: found?.restartCount ?? 0,
      running,
      trouble,
      started: running || Boolean(found?.state?.terminated) || Boolean(found?.lastState?.terminated),
    };
  });
}

function lineOf({ redactor }: Reading, pod: string, container: string, line: string): LogLine {
  const [, at = '', text = line] = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ?(.*)$/.exec(line) ?? [];
  return { pod, container, at, text: redactor.redactForeign(text) };
}
