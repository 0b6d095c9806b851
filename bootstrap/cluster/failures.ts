/** Failures on request: Stages that outweigh the ordinary ones for one release. For tests and drills. */
import { setTimeout as sleep } from 'node:timers/promises';
import { INSTANCE_LABEL } from '../../src/contract/names.ts';
import type { Api, ApiObject } from './api.ts';
import { RUNNING, addresses, conditions, containers, terminated } from './stages/pod-status.ts';
import { NOT_DELETED, READY, type StageInput, stage } from './stages/stage.ts';
import { resyncStages, touchAll } from './touch.ts';

export const RELEASE_FAILURES = ['crash-loop', 'oom', 'image-pull', 'never-ready', 'job-failed'] as const;
export type ReleaseFailure = (typeof RELEASE_FAILURES)[number];

export const FAILURE_LABEL = 'simulation.ananta.dev/failure';
const A_LONG_TIME = { durationMilliseconds: 7 * 86_400_000 };

/**
 * From now on pods of the release fail; those that live fail, too. `job-failed` fails the pods of its Jobs, everything
 * else those of its workloads.
 */
export async function failRelease(api: Api, release: string, failure: ReleaseFailure): Promise<void> {
  await clearStages(api, release, failure);
  await Promise.all(failureStages(release, failure).map((object) => api.apply(object)));
  await touchPods(api, release);
}

/**
 * Pods of the release start up again, with their ordinary start-up time. Failed Jobs stay failed, as on a real cluster.
 */
export async function clearFailure(api: Api, release: string): Promise<void> {
  await clearStages(api, release);
  await touchPods(api, release);
}

/** One stage makes the failure, the other keeps it: without it the ordinary stages would heal the pod. */
export function failureStages(release: string, failure: ReleaseFailure): ApiObject[] {
  const common = (name: string): Pick<StageInput, 'name' | 'kind' | 'labels' | 'weight' | 'ownLabels'> => ({
    name: `${name}-${release}`,
    kind: 'Pod',
    labels: { [INSTANCE_LABEL]: release },
    weight: 1,
    ownLabels: { [FAILURE_LABEL]: release },
  });
  const owner = {
    key: '.metadata.ownerReferences.[].kind',
    operator: failure === 'job-failed' ? 'In' : 'NotIn',
    values: ['Job'],
  } as const;
  const mark = REASONS[failure];
  const reason = '.status.containerStatuses.[].state | (.waiting.reason, .terminated.reason)';
  const living = { key: '.status.phase', operator: 'NotIn', values: ['Succeeded', 'Failed'] } as const;
  const hold = stage({
    ...common('hold'),
    when: [
      NOT_DELETED,
      owner,
      living,
      ...(mark === undefined
        ? [{ key: READY, operator: 'In', values: ['False'] } as const]
        : [{ key: reason, operator: 'In', values: [mark] } as const]),
    ],
    delay: A_LONG_TIME,
    steps: [{ patch: { subresource: 'status', root: 'status', template: 'reason: null\n' } }],
  });
  const fail = stage({
    ...common('fail'),
    when: [
      NOT_DELETED,
      owner,
      living,
      ...(mark === undefined
        ? [{ key: READY, operator: 'NotIn', values: ['False'] } as const]
        : [{ key: reason, operator: 'NotIn', values: [mark] } as const]),
    ],
    delay: { durationMilliseconds: 300 },
    steps: [{ patch: { subresource: 'status', template: failedStatus(failure) } }],
  });
  return [hold, fail];
}

/** What the containers' state says; nothing where they just run. */
const REASONS: Record<ReleaseFailure, string | undefined> = {
  'crash-loop': 'CrashLoopBackOff',
  oom: 'CrashLoopBackOff',
  'image-pull': 'ImagePullBackOff',
  'never-ready': undefined,
  'job-failed': 'Error',
};

function failedStatus(failure: ReleaseFailure): string {
  const unready = conditions('False', 'ContainersNotReady');
  const waiting = (reason: string, message: string): string => `
      waiting:
        reason: ${reason}
        message: ${message}
      running: null
      terminated: null`;
  const last = (exitCode: number, reason: string): string => `
    lastState:
      terminated: {exitCode: ${exitCode}, reason: ${reason}, startedAt: {{ Now | Quote }}, finishedAt: {{ Now | Quote }}}`;
  const status: Record<ReleaseFailure, string> = {
    'crash-loop': containers(
      'false',
      waiting('CrashLoopBackOff', 'back-off 40s restarting failed container'),
      4,
      last(1, 'Error'),
    ),
    oom: containers(
      'false',
      waiting('CrashLoopBackOff', 'back-off 40s restarting failed container'),
      4,
      last(137, 'OOMKilled'),
    ),
    'image-pull': containers(
      'false',
      waiting('ImagePullBackOff', '{{ printf "Back-off pulling image %s: not found" .image | Quote }}'),
    ),
    'never-ready': containers('false', RUNNING),
    'job-failed': containers('false', terminated(1, 'Error')),
  };
  const phase = failure === 'job-failed' ? 'Failed' : failure === 'image-pull' ? 'Pending' : 'Running';
  return `
status:
${unready}
${status[failure]}
${addresses()}
  phase: ${phase}
  startTime: {{ or .status.startTime Now | Quote }}
`;
}

async function clearStages(api: Api, release: string, except?: ReleaseFailure): Promise<void> {
  const wanted = new Set(
    except === undefined ? [] : failureStages(release, except).map(({ metadata }) => metadata.name),
  );
  const { items } = (await api.request(
    'GET',
    `/apis/kwok.x-k8s.io/v1alpha1/stages?labelSelector=${encodeURIComponent(`${FAILURE_LABEL}=${release}`)}`,
  )) as { items: { metadata: { name: string } }[] };
  await Promise.all(
    items
      .filter(({ metadata }) => !wanted.has(metadata.name))
      .map(({ metadata }) => api.remove({ apiVersion: 'kwok.x-k8s.io/v1alpha1', kind: 'Stage', metadata })),
  );
}

/** KWOK chooses a pod's next stage when the pod changes, not when the Stages do. */
async function touchPods(api: Api, release: string): Promise<void> {
  // It has to have taken in the Stages first, all of them, which takes longer on a busy machine (see
  // `simulator-probe.ts`).
  for (const pause of [200, 800]) {
    await sleep(pause);
    await resyncStages(api);
    const { items } = (await api.request(
      'GET',
      `/api/v1/pods?labelSelector=${encodeURIComponent(`${INSTANCE_LABEL}=${release}`)}`,
    )) as { items: { metadata: { name: string; namespace: string } }[] };
    await touchAll(api, 'pods', items);
  }
}
