/** What is worth knowing about a release that failed, as text. */
import { z } from 'zod';
import type { KubernetesClient, KubernetesObject } from '../../clients/kubernetes/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import { podTrouble, troubleText, workloadHealth } from '../../plan/health/index.ts';
import { condition } from '../../plan/health/types.ts';
import { type LiveWorkload, readPods, readWorkloads } from '../observe/workloads.ts';
import type { Release } from '../release/recover.ts';

export interface ReleaseEvidence {
  release: Release;
  workloads: LiveWorkload[];
  pods: KubernetesObject[];
  events: EventLine[];
  logs: ContainerLog[];
}

export interface EventLine {
  at: string;
  warning: boolean;
  object: string;
  reason: string;
  message: string;
  count: number;
}

export interface ContainerLog {
  pod: string;
  container: string;
  /** Of the container that ran before a restart. */
  previous: boolean;
  text: string;
}

const eventSchema = z.looseObject({
  type: z.string().nullish(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  count: z.number().nullish(),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  firstTimestamp: z.string().nullish(),
  involvedObject: z.object({ kind: z.string().nullish(), name: z.string().nullish() }).prefault({}),
});
const containersSchema = z.object({
  spec: z
    .object({
      containers: z.array(z.object({ name: z.string() })).default([]),
      initContainers: z.array(z.object({ name: z.string() })).nullish(),
    })
    .prefault({}),
  status: z
    .object({
      containerStatuses: z.array(z.object({ name: z.string(), restartCount: z.number().default(0) })).nullish(),
    })
    .prefault({}),
});

const LOG_LINES = 60;
const MOST_EVENTS = 60;
/** More of the same kind add nothing. */
const MOST_PODS = 4;

/**
 * Reads everything; what cannot be read is left out.
 * @param neighbours names of the other releases in its namespace, whose events are not its own
 */
export async function gather(
  kubernetes: KubernetesClient,
  release: Release,
  neighbours: readonly string[],
  signal: AbortSignal,
): Promise<ReleaseEvidence> {
  const workloads = await readWorkloads(kubernetes, release, signal);
  const pods = await readPods(kubernetes, release, workloads, signal);
  // Where all are ready and the service still does not work, only their logs can show why.
  const troubled = pods.filter((pod) => podTrouble(pod) !== undefined);
  const names = new Set([
    release.name,
    ...workloads.map(({ name }) => name),
    ...pods.map(({ metadata }) => metadata.name),
  ]);
  const [events, logs] = await Promise.all([
    readEvents(kubernetes, release, (name) => isAbout(name, names, neighbours), signal),
    readLogs(kubernetes, release, (troubled.length > 0 ? troubled : pods).slice(0, MOST_PODS), signal),
  ]);
  return { release, workloads, pods, events, logs };
}

/**
 * A ReplicaSet or a claim is named after its workload; of several names that fit, it is the longest: `web-worker-0` is
 * not about `web`.
 */
function isAbout(object: string, names: ReadonlySet<string>, neighbours: readonly string[]): boolean {
  const fits = (known: string): boolean =>
    object === known || object.startsWith(`${known}-`) || object.endsWith(`-${known}`) || object.includes(`-${known}-`);
  const longest = (among: Iterable<string>): number =>
    Math.max(0, ...[...among].filter(fits).map((known) => known.length));
  const own = longest(names);
  return own > 0 && own >= longest(neighbours);
}

async function readEvents(
  kubernetes: KubernetesClient,
  release: Release,
  isOwn: (object: string) => boolean,
  signal: AbortSignal,
): Promise<EventLine[]> {
  const { items } = await kubernetes.list(paths.events(release.namespace), { limit: 500 }, signal);
  return items
    .flatMap((item) => {
      const event = eventSchema.parse(item);
      const name = event.involvedObject.name ?? '';
      if (!isOwn(name)) return [];
      return [
        {
          at: event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? '',
          warning: event.type === 'Warning',
          object: `${event.involvedObject.kind ?? ''} ${name}`,
          reason: event.reason ?? '',
          message: (event.message ?? '').trim(),
          count: event.count ?? 1,
        },
      ];
    })
    .sort((a, b) => a.at.localeCompare(b.at))
    .slice(-MOST_EVENTS);
}

async function readLogs(
  kubernetes: KubernetesClient,
  release: Release,
  pods: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<ContainerLog[]> {
  const wanted = pods.flatMap((pod) => {
    const { spec, status } = containersSchema.parse(pod);
    const restarted = new Set(
      status.containerStatuses?.filter(({ restartCount }) => restartCount > 0).map(({ name }) => name),
    );
    return [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ name }) =>
      [false, ...(restarted.has(name) ? [true] : [])].map((previous) => ({
        pod: pod.metadata.name,
        container: name,
        previous,
      })),
    );
  });
  const logs = await Promise.all(
    wanted.map(async ({ pod, container, previous }) => {
      const text = await kubernetes
        .podLog({ namespace: release.namespace, pod }, container, { previous, tailLines: LOG_LINES }, signal)
        .catch((error: unknown) => `(no log: ${error instanceof Error ? error.message : String(error)})`);
      return { pod, container, previous, text: text.trimEnd() };
    }),
  );
  return logs.filter(({ text }) => text !== '');
}

/** The whole of it, for the file. */
export function asText({ release, workloads, pods, events, logs }: ReleaseEvidence): string {
  return [
    `## Release ${release.name} in namespace ${release.namespace}`,
    '',
    '### Workloads',
    ...(workloads.length === 0
      ? ['none']
      : workloads.map((workload) => `${workload.kind} ${workload.name}: ${workloadHealth(workload).message}`)),
    '',
    '### Pods',
    ...(pods.length === 0 ? ['none'] : pods.map((pod) => podLine(pod))),
    '',
    '### Conditions',
    ...conditionLines([
      ...workloads.map(({ kind, name, object }) => ({ of: `${kind} ${name}`, object })),
      ...pods.map((pod) => ({ of: `Pod ${pod.metadata.name}`, object: pod })),
    ]),
    '',
    '### Events',
    ...(events.length === 0
      ? ['none']
      : events.map(
          ({ at, warning, object, reason, message, count }) =>
            `${at} ${warning ? 'Warning' : 'Normal'} ${object}: ${reason} ${message}${count > 1 ? ` (${count} times)` : ''}`,
        )),
    ...logs.flatMap(({ pod, container, previous, text }) => [
      '',
      `### Log of ${pod}, container ${container}${previous ? ', before its restart' : ''}`,
      text,
    ]),
    '',
  ].join('\n');
}

const conditionsSchema = z.object({
  status: z
    .object({ conditions: z.array(condition.extend({ lastTransitionTime: z.string().nullish() })).nullish() })
    .prefault({}),
});

/** What controllers and kubelets say of each, in their own words. */
function conditionLines(all: readonly { of: string; object: KubernetesObject }[]): string[] {
  const lines = all.flatMap(({ of, object }) =>
    (conditionsSchema.safeParse(object).data?.status.conditions ?? []).map(
      ({ type, status, reason, message, lastTransitionTime }) =>
        [`${of}: ${type} ${status}`, ...(lastTransitionTime ? [`since ${lastTransitionTime}`] : []), reason, message]
          .filter((part) => part !== '')
          .join(' '),
    ),
  );
  return lines.length === 0 ? ['none'] : lines;
}

/**
 * The few lines that fit a terminal: troubles, then warnings, then the end of a log.
 * @param clean takes secret values out, before a line is cut in the middle of one
 */
export function asSummary(
  all: readonly ReleaseEvidence[],
  most: number,
  clean: (line: string) => string = (line) => line,
): string[] {
  const troubles = all.flatMap(({ pods }) =>
    pods.flatMap((pod) => {
      const trouble = podTrouble(pod);
      return trouble ? [troubleText({ ...trouble, message: clean(trouble.message) })] : [];
    }),
  );
  // A warning about a pod that is ready by now is out of date.
  const ready = new Set(
    all.flatMap(({ pods }) =>
      pods.filter((pod) => podTrouble(pod) === undefined).map(({ metadata }) => `Pod ${metadata.name}`),
    ),
  );
  const warnings = all
    .flatMap(({ events }) => events)
    .filter(({ warning, object }) => warning && !ready.has(object))
    .slice(-3)
    .map(({ object, reason, message }) => `${object}: ${reason} ${message}`);
  const log = all.flatMap(({ logs }) => logs).find(({ text }) => !text.startsWith('(no log'));
  const tail = log
    ? log.text
        .split('\n')
        .slice(-3)
        .map((line) => `${log.pod}: ${line}`)
    : [];
  return [...new Set([...troubles.slice(0, 3), ...warnings, ...tail])]
    .slice(0, most)
    .map((line) => clean(line).slice(0, 300));
}

function podLine(pod: KubernetesObject): string {
  const trouble = podTrouble(pod);
  return trouble ? troubleText(trouble) : `pod ${pod.metadata.name}: ready or done`;
}
