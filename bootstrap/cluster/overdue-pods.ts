/**
 * The simulator gives up on a step of a pod's life when the API server answers its patch with an error, as it does
 * while etcd is away; only another event of the pod makes it try again. Touching the pod is one.
 */
import { z } from 'zod';
import { INSTANCE_LABEL } from '../../src/contract/names.ts';
import type { Api } from './api.ts';
import { FAILURE_LABEL } from './failures.ts';
import { isSimulatedNode } from './objects.ts';
import { READY_AT } from './stages/pods.ts';
import { OVERDUE_MS, touchAll } from './touch.ts';

const conditionSchema = z.object({ type: z.string(), status: z.string(), lastTransitionTime: z.string().nullish() });
const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    deletionTimestamp: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
    finalizers: z.array(z.string()).default([]),
  }),
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({
    phase: z.string().optional(),
    conditions: z.array(conditionSchema).default([]),
    containerStatuses: z
      .array(z.object({ state: z.object({ running: z.unknown().optional() }).default({}) }))
      .default([]),
  }),
});
type Pod = z.infer<typeof podSchema>;
const podsSchema = z.object({ items: z.array(podSchema) });
const stagesSchema = z.object({
  items: z.array(z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }) })),
});

/** @returns the pods that were touched, as `namespace/name`. @throws ApiError when the API server does not answer */
export async function requeueOverduePods(api: Pick<Api, 'request'>, now: number = Date.now()): Promise<string[]> {
  // From the API server's memory: what is overdue is not new.
  const { items } = podsSchema.parse(await api.request('GET', '/api/v1/pods?resourceVersion=0'));
  const late = items.filter((pod) => isOverdue(pod, now));
  if (late.length === 0) return [];
  const failures = stagesSchema.parse(
    await api.request('GET', `/apis/kwok.x-k8s.io/v1alpha1/stages?labelSelector=${encodeURIComponent(FAILURE_LABEL)}`),
  );
  const failing = new Set(failures.items.map(({ metadata }) => metadata.labels[FAILURE_LABEL]));
  return touchAll(
    api,
    'pods',
    late.filter(({ metadata }) => !failing.has(metadata.labels[INSTANCE_LABEL])),
    now,
  );
}

/** Whether the next step of its life should have come. */
function isOverdue({ metadata, spec, status }: Pod, now: number): boolean {
  const since = (time: string | null | undefined): number =>
    time === undefined || time === null ? 0 : now - Date.parse(time);
  if (spec.nodeName === undefined || !isSimulatedNode(spec.nodeName) || metadata.finalizers.length > 0) return false;
  if (metadata.deletionTimestamp !== undefined) return since(metadata.deletionTimestamp) > OVERDUE_MS;
  const condition = (wanted: string): z.infer<typeof conditionSchema> | undefined =>
    status.conditions.find(({ type }) => type === wanted);
  const readyAt = metadata.annotations[READY_AT];
  if (readyAt === undefined) return since(condition('PodScheduled')?.lastTransitionTime) > OVERDUE_MS;
  // A Job's pod is ready while it runs. Containers that do not run fail on request.
  const ofJob = metadata.labels['batch.kubernetes.io/job-name'] !== undefined;
  const running = status.containerStatuses.every(({ state }) => state.running !== undefined);
  return (
    status.phase === 'Running' &&
    running &&
    (ofJob || condition('Ready')?.status !== 'True') &&
    since(readyAt) > OVERDUE_MS
  );
}
