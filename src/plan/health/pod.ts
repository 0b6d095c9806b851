/** What a pod says about why it is not ready, in the words people search for. */
import { z } from 'zod';
import { withoutNamedSecrets } from '../diff/sensitive.ts';
import { conditions, trueCondition } from './types.ts';

const stateSchema = z.object({
  waiting: z.object({ reason: z.string().default(''), message: z.string().default('') }).nullish(),
  running: z.object({}).nullish(),
  terminated: z
    .object({ reason: z.string().default(''), message: z.string().default(''), exitCode: z.number().default(0) })
    .nullish(),
});
const containerSchema = z.object({
  name: z.string(),
  ready: z.boolean().default(false),
  restartCount: z.number().default(0),
  state: stateSchema.nullish(),
  lastState: stateSchema.nullish(),
});
const schema = z.object({
  metadata: z.object({ name: z.string(), deletionTimestamp: z.string().nullish() }),
  status: z
    .object({
      phase: z.string().default('Pending'),
      reason: z.string().default(''),
      message: z.string().default(''),
      conditions,
      initContainerStatuses: z.array(containerSchema).nullish(),
      containerStatuses: z.array(containerSchema).nullish(),
    })
    .prefault({}),
});
type Container = z.infer<typeof containerSchema>;

export interface PodTrouble {
  pod: string;
  container?: string;
  /** `ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable`, `NotReady`. */
  reason: string;
  message: string;
}

export function isPodReady(object: unknown): boolean {
  const { metadata, status } = schema.parse(object);
  return !metadata.deletionTimestamp && trueCondition(status.conditions, 'Ready') !== undefined;
}

/** Its containers have started; they need not be ready. */
export function isPodRunning(object: unknown): boolean {
  const { metadata, status } = schema.parse(object);
  return !metadata.deletionTimestamp && status.phase === 'Running';
}

/** @returns undefined when the pod is ready or has succeeded */
export function podTrouble(object: unknown): PodTrouble | undefined {
  const { metadata, status } = schema.parse(object);
  const pod = metadata.name;
  if (status.phase === 'Succeeded') return undefined;
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  for (const container of containers) {
    const trouble = containerTrouble(container);
    if (trouble) return { pod, container: container.name, ...trouble };
  }
  if (status.phase === 'Failed') return { pod, reason: status.reason || 'Failed', message: status.message };
  if (trueCondition(status.conditions, 'Ready')) return undefined;
  const unscheduled = status.conditions.find(({ type, status: value }) => type === 'PodScheduled' && value === 'False');
  if (unscheduled) return { pod, reason: unscheduled.reason || 'Unschedulable', message: unscheduled.message };
  const waiting = containers.find(({ ready }) => !ready);
  const word = status.phase === 'Running' ? 'NotReady' : status.phase;
  return {
    pod,
    ...(waiting ? { container: waiting.name } : {}),
    reason: word,
    message: word === 'NotReady' ? 'it runs, but its readiness probe has not succeeded' : '',
  };
}

/** Names what is wrong on one line: `pod x-0, container main: ImagePullBackOff (…)`. */
export function troubleText({ pod, container, reason, message }: PodTrouble): string {
  return `pod ${pod}${container === undefined ? '' : `, container ${container}`}: ${reason}${message === '' ? '' : ` (${withoutNamedSecrets(message.trim(), () => '[redacted]').slice(0, 300)})`}`;
}

function containerTrouble({
  ready,
  state,
  lastState,
  restartCount,
}: Container): { reason: string; message: string } | undefined {
  const waiting = state?.waiting;
  if (
    waiting &&
    waiting.reason !== '' &&
    waiting.reason !== 'ContainerCreating' &&
    waiting.reason !== 'PodInitializing'
  ) {
    const last = lastState?.terminated;
    return {
      reason: waiting.reason,
      message: last ? `last exit ${last.exitCode} ${last.reason} ${last.message}`.trim() : waiting.message,
    };
  }
  const ended = state?.terminated;
  if (ended && ended.exitCode !== 0)
    return {
      reason: ended.reason || 'Error',
      message: `exit code ${ended.exitCode}${ended.message === '' ? '' : `: ${ended.message}`}${restartCount > 0 ? `, ${restartCount} restarts` : ''}`,
    };
  // Between two crashes it runs, and looks as if it were only slow.
  const before = lastState?.terminated;
  if (!ready && state?.running && before && before.exitCode !== 0)
    return {
      reason: before.reason || 'Error',
      message: `exit code ${before.exitCode} before its last restart${before.message === '' ? '' : `: ${before.message}`}; it runs again and is not ready, ${restartCount} restarts`,
    };
  return undefined;
}
