/** The Job of a check: made once for all attempts of a run, and removed when it has succeeded. */
import type { JobCheck } from '../../catalog/schema.ts';
import { KubernetesError, type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import type { Clients } from '../../clients/index.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { OWNER_LABEL, RELEASE_LABELS, checkInstance } from '../../contract/names.ts';
import { checkJob, type CheckJobInput, checkJobName } from '../../plan/checks/job.ts';
import type { Judgement } from '../../plan/checks/expectations.ts';
import { jobHealth } from '../../plan/health/job.ts';
import { troublesOf } from '../observe/troubles.ts';
import { readPods } from '../observe/workloads.ts';
import type { Deadline } from '../wait/deadline.ts';

type Kubernetes = Pick<Clients['kubernetes'], 'get' | 'create' | 'remove' | 'list' | 'watches'>;

const LOOK_MILLISECONDS = 2000;
/** Kubernetes itself ends it at its deadline: so many seconds later, no end has been reported. */
const LATE_SECONDS = 15;
const REMOVAL_MILLISECONDS = 10_000;

export interface JobWait {
  deadline: Deadline;
  signal: AbortSignal;
  onStatus: (text: string) => void;
}

/** @returns how it ended. @throws DeployError NotOurs where somebody else has a Job of its name */
export async function runCheckJob(
  kubernetes: Kubernetes,
  input: CheckJobInput & { check: JobCheck },
  { deadline, signal, onStatus }: JobWait,
): Promise<Judgement> {
  const { service, check, run } = input;
  const { namespace } = service;
  const instance = checkInstance(service.name, check.name);
  const path = paths.job(namespace, checkJobName(service.name, check.name, run));
  const unlisten = kubernetes.watches.listen(namespace, instance, () => {
    deadline.wake();
  });
  let job: KubernetesObject | undefined;
  try {
    job = await made(kubernetes, input, path, signal);
    for (;;) {
      const { status, message } = jobHealth(job);
      if (status === 'healthy') {
        await remove(kubernetes, path, job);
        return { ok: true, text: 'Job completed' };
      }
      const troubles = async (): Promise<string[]> =>
        troublesOf(
          kubernetes,
          { namespace, name: instance },
          await readPods(kubernetes, { namespace, name: instance }, [], signal).catch(() => []),
        );
      if (status === 'failed') return { ok: false, text: [message, ...(await troubles())].join('; ') };
      onStatus(message);
      if (deadline.spent() > input.timeoutSeconds + LATE_SECONDS)
        return {
          ok: false,
          text: [`not done within ${Math.round(deadline.spent())} s: ${message}`, ...(await troubles())].join('; '),
        };
      await deadline.pause(LOOK_MILLISECONDS);
      const now = await kubernetes.get(path, signal);
      if (now === undefined || now.metadata.uid !== job.metadata.uid)
        return { ok: false, text: 'somebody has deleted its Job while it ran' };
      job = now;
    }
  } catch (error) {
    // Who gives up leaves nothing at work; what is tried again finds it.
    if (signal.aborted && job !== undefined) await remove(kubernetes, path, job);
    throw error;
  } finally {
    unlisten();
  }
}

async function made(
  kubernetes: Kubernetes,
  input: CheckJobInput,
  path: string,
  signal: AbortSignal,
): Promise<KubernetesObject> {
  const found = await kubernetes.get(path, signal);
  const job = found ?? (await created(kubernetes, input, path, signal));
  const { labels, namespace = '', name } = job.metadata;
  if (labels?.[OWNER_LABEL] === input.environment.name && labels[RELEASE_LABELS.run] === input.run) return job;
  throw new DeployError(
    FAILURES.notOurs,
    `A Job ${namespace}/${name} is there that this run has not made. It was left alone; remove it, or wait until it is gone.`,
  );
}

async function created(
  kubernetes: Kubernetes,
  input: CheckJobInput,
  path: string,
  signal: AbortSignal,
): Promise<KubernetesObject> {
  try {
    return await kubernetes.create(paths.jobs(input.service.namespace), checkJob(input), signal);
  } catch (error) {
    if (!(error instanceof KubernetesError) || error.reason !== 'AlreadyExists') throw error;
    const other = await kubernetes.get(path, signal);
    if (other === undefined) throw error;
    return other;
  }
}

/** Its time to live removes what is left behind here. */
async function remove(
  kubernetes: Pick<Clients['kubernetes'], 'remove'>,
  path: string,
  { metadata: { uid } }: KubernetesObject,
): Promise<void> {
  await kubernetes
    .remove(path, { uid, propagation: 'Background' }, AbortSignal.timeout(REMOVAL_MILLISECONDS))
    .catch(() => undefined);
}
