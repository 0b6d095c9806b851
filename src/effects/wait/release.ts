/**
 * Waits until a release is healthy: first what Kubernetes says of its workloads, by watching, then what the service
 * says of itself. Only states of objects that were there after the apply count.
 */
import { DeployError } from '../../contract/errors.ts';
import type { Health } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import { KubernetesError, UnreachableError } from '../../clients/kubernetes/index.ts';
import { FAILURES } from '../../contract/failures.ts';
import { isScaledToZero, releaseHealth, SCALED_TO_ZERO } from '../../plan/health/index.ts';
import { freshest, knownWorkloads, type LiveWorkload, podsOf, readWorkloads, readyPods } from '../observe/workloads.ts';
import { troublesOf } from '../observe/troubles.ts';
import { type PodHealth, probeOpenVault, probePods, type ProbeResult, probeVaultAnswers } from '../probe/index.ts';
import type { Release } from '../release/recover.ts';
import type { Deadline } from './deadline.ts';
import { createReasons } from './reasons.ts';
import { keepVaultOpen } from './vault-open.ts';

export interface WaitInput {
  release: Release;
  /** Its Job has to complete. */
  job: boolean;
  /** Asked once its workloads are healthy; undefined where there is nothing to ask. */
  probe: PodHealth | Extract<Health, { kind: 'vault' }> | undefined;
  /** Vault before it is initialised: it is enough that it answers. */
  answersOnly: boolean;
  /** It reads Vault itself, with its own login. */
  readsVault?: boolean;
  deadline: Deadline;
  signal: AbortSignal;
  /** An API server that is away is waited for so long before that ends the wait; Temporal tries it again. */
  awaySeconds?: number;
  /** Called whenever what is waited for changes; `cause` is the part that somebody may have to do something about. */
  onStatus: (status: string, cause: string) => void;
}

/** A change that no watch delivered is found by reading after this time at the latest. */
const READ_AGAIN_MILLISECONDS = 10_000;
const AFTER_OUTAGE_MILLISECONDS = 1000;
const AWAY_SECONDS = 20;
const FIRST_PROBE_PAUSE = 200;
const LONGEST_PROBE_PAUSE = 2000;

type Waiting = Pick<Clients, 'kubernetes' | 'vault' | 'catalog'>;
/** Until Vault's new pod listens. */
const VAULT_PAUSE_MILLISECONDS = 1000;

/**
 * @returns what proved it
 * @throws DeployError NotHealthyInTime or JobFailed, naming pod, container and reason
 */
export async function waitForRelease(clients: Waiting, input: WaitInput): Promise<string> {
  const { kubernetes } = clients;
  const { release, deadline, signal } = input;
  const unlisten = kubernetes.watches.listen(release.namespace, release.name, () => {
    deadline.wake();
  });
  // Of Vault itself others take care: it may not be initialised yet.
  const keeper =
    input.probe?.kind === 'vault'
      ? undefined
      : keepVaultOpen(clients, input.readsVault === true, () => {
          deadline.wake();
        });
  const reasons = createReasons(kubernetes, release);
  let read: LiveWorkload[] = [];
  let readAt = -Infinity;
  let awaySince: number | undefined;
  // Until the cluster was seen for the first time.
  deadline.suspend(true);
  let status = '';
  let probePause = FIRST_PROBE_PAUSE;
  const say = (text: string, cause = ''): void => {
    const whole = cause === '' ? text : `${text}; ${cause}`;
    if (whole !== status) input.onStatus(whole, cause);
    status = whole;
  };
  try {
    for (;;) {
      try {
        await keeper?.look(signal);
        const longest = keeper?.isDue() === true ? VAULT_PAUSE_MILLISECONDS : READ_AGAIN_MILLISECONDS;
        if (performance.now() - readAt > READ_AGAIN_MILLISECONDS) {
          if (readAt === -Infinity) await kubernetes.watches.synced(signal);
          read = await readWorkloads(kubernetes, release, signal);
          readAt = performance.now();
          awaySince = undefined;
          deadline.suspend(false);
        }
        const workloads = freshest(read, knownWorkloads(kubernetes.watches, release));
        const judged = judge(input, workloads);
        if (judged.failed)
          throw new DeployError(FAILURES.jobFailed, await withTroubles(clients, input, workloads, judged.text));
        if (judged.ready) {
          const answer = await ask(clients, input, workloads);
          if (answer.ok) return answer.text;
          say(answer.text);
          if (deadline.isOver()) throw await outOfTime(clients, input, workloads, status);
          await deadline.pause(probePause);
          probePause = Math.min(probePause * 2, LONGEST_PROBE_PAUSE);
        } else {
          const { cause, final } = reasons.of(workloads);
          say(judged.text, cause);
          probePause = FIRST_PROBE_PAUSE;
          if (final)
            throw new DeployError(FAILURES.rejectedByCluster, `${release.name} cannot become healthy: ${status}`);
          if (deadline.isOver()) throw await outOfTime(clients, input, workloads, status);
          await deadline.pause(Math.min(longest, reasons.lookAgainMilliseconds()));
        }
      } catch (error) {
        if (!isPassing(error)) throw error;
        readAt = -Infinity;
        deadline.suspend(true);
        say(error.message);
        // Temporal's retry policy says for how long it is tried.
        awaySince ??= performance.now();
        if (performance.now() - awaySince > (input.awaySeconds ?? AWAY_SECONDS) * 1000) throw error;
        await deadline.pause(AFTER_OUTAGE_MILLISECONDS);
      }
    }
  } finally {
    unlisten();
    keeper?.close();
  }
}

/** An API server that is away or busy comes back; the time until then does not count. */
function isPassing(error: unknown): error is Error {
  return (
    error instanceof UnreachableError ||
    (error instanceof KubernetesError && (error.status === 429 || error.status >= 500))
  );
}

function judge(
  { release, job, answersOnly }: WaitInput,
  workloads: readonly LiveWorkload[],
): { ready: boolean; failed: boolean; text: string } {
  if (answersOnly) return { ready: true, failed: false, text: '' };
  if (job && workloads.length === 0)
    return { ready: false, failed: false, text: `the Job of ${release.name} is not there` };
  const health = releaseHealth(workloads);
  return { ready: health.status === 'healthy', failed: health.status === 'failed', text: health.message };
}

async function ask(
  clients: Waiting,
  { release, job, probe, answersOnly, signal }: WaitInput,
  workloads: readonly LiveWorkload[],
): Promise<ProbeResult> {
  // No pod runs, so there is nothing to probe.
  if (isScaledToZero(workloads)) return { ok: true, text: SCALED_TO_ZERO };
  if (answersOnly) return probeVaultAnswers(clients, signal);
  if (probe === undefined)
    return {
      ok: true,
      text:
        workloads.length === 0
          ? 'applied; it has no workload of its own'
          : job
            ? 'Job completed'
            : releaseHealth(workloads).message,
    };
  if (probe.kind === 'vault') return probeOpenVault(clients, signal);
  const pods = readyPods(
    await podsOf(clients.kubernetes, release, workloads, signal),
    'port' in probe ? probe.port : undefined,
  );
  return probePods(
    clients,
    pods.map((pod) => ({ namespace: release.namespace, release: release.name, pod: pod.metadata.name })),
    probe,
    signal,
  );
}

async function outOfTime(
  clients: Waiting,
  input: WaitInput,
  workloads: readonly LiveWorkload[],
  status: string,
): Promise<DeployError> {
  const text = await withTroubles(clients, input, workloads, status);
  return new DeployError(
    FAILURES.notHealthyInTime,
    `${input.release.name} was not healthy within ${Math.round(input.deadline.spent())} s: ${text}`,
  );
}

async function withTroubles(
  { kubernetes }: Waiting,
  { release, signal }: WaitInput,
  workloads: readonly LiveWorkload[],
  text: string,
): Promise<string> {
  const pods = await podsOf(kubernetes, release, workloads, signal).catch(() => []);
  return [text, ...troublesOf(kubernetes, release, pods).filter((trouble) => !text.includes(trouble))].join('; ');
}
