/**
 * Helm as the deployer uses it: `upgrade --install`, `rollback` and `uninstall`, few processes at once, the longest
 * remaining path first.
 */
import { join } from 'node:path';
import PQueue from 'p-queue';
import { FAILURES } from '../../contract/failures.ts';
import { privateFolder } from '../../process/files.ts';
import { ownerLabel } from '../../process/owner.ts';
import {
  helmEnvironment,
  kubeconfigEnvironment,
  reapplyArgs,
  rollbackArgs,
  uninstallArgs,
  upgradeArgs,
} from './arguments.ts';
import { boundSeconds } from './bounded.ts';
import { classifyHelmOutput } from './classify.ts';
import { HelmError } from './errors.ts';
import { helmFor, helmOf, markedWith } from './machine.ts';
import { type PostRendering, withPostRenderer } from './post-render.ts';
import { createProcessRecords, type HelmProcess } from './processes.ts';
import { withRecordedChart } from './recorded-chart.ts';
import { runHelm } from './run.ts';
import type { HelmOptions, HelmRequest, ReapplyRequest, UpgradeRequest, RollbackRequest } from './requests.ts';

export interface UpgradeResult {
  revision: number;
  /** Of the process alone. */
  seconds: number;
  queuedSeconds: number;
}

export interface HelmClient {
  /** @throws HelmError, or the signal's reason, in both cases only after the process has ended */
  upgrade(request: UpgradeRequest): Promise<UpgradeResult>;
  /**
   * Deletes what the newest revision holds, then Helm's record of the release; objects marked `helm.sh/resource-policy:
   * keep` stay. A release that is not there is no error. @throws as `upgrade`
   */
  uninstall(request: HelmRequest): Promise<Omit<UpgradeResult, 'revision'>>;
  /**
   * Applies an earlier revision, or the newest one once more, as a new revision: what is gone is made again, and fields
   * that others have changed are taken back. @throws as `upgrade`
   */
  rollback(request: RollbackRequest): Promise<Omit<UpgradeResult, 'revision'>>;
  /**
   * The same with another manifest than the one in the history, and with the labels that are given. @throws as
   * `upgrade`
   */
  reapply(request: ReapplyRequest): Promise<UpgradeResult>;
  /**
   * A process of this machine that works on the release, left by this or an earlier worker.
   * @param clusterUid with it, also one that a worker of another state folder has started
   */
  alive(namespace: string, release: string, clusterUid?: string): Promise<HelmProcess | undefined>;
  /**
   * A process of this machine that works on the release and was started by that owner, in whatever checkout.
   * @param owner label of a worker that runs, or ran, on this machine
   */
  startedBy(owner: string, namespace: string, release: string): Promise<HelmProcess | undefined>;
  /** A process of this machine that ended together with its worker, so that nobody has noted its end. */
  interrupted(namespace: string, release: string): Promise<HelmProcess | undefined>;
  logFile(release: string): string;
}

/** Together with the time that Helm needs to record a failure less than a worker has for its shutdown. */
const FINISH_SECONDS = 4;

export function createHelmClient(options: HelmOptions): HelmClient {
  const home = join(options.stateDir, 'helm');
  const logs = join(options.stateDir, 'logs', 'helm');
  const runFolder = join(options.stateDir, 'run', 'helm');
  const records = createProcessRecords(runFolder);
  const queue = new PQueue({ concurrency: options.concurrency });
  const logFile = (release: string): string => join(logs, `${release}.log`);

  /** @param what the call in words, for log and errors @returns what Helm wrote */
  const run = async (
    request: HelmRequest,
    what: string,
    args: readonly string[],
    values: string,
    env: Readonly<Record<string, string>>,
  ): Promise<{ output: string; seconds: number }> => {
    await request.onTurn?.();
    await Promise.all([privateFolder(home), privateFolder(logs)]);
    const started = performance.now();
    const { namespace, release, runId, clusterUid } = request;
    const endsBy = new Date(Date.now() + boundSeconds(options.timeoutSeconds) * 1000).toISOString();
    const outcome = await runHelm(options.binary, {
      args,
      values,
      env: {
        ...helmEnvironment(options.env, home),
        ...kubeconfigEnvironment(options),
        ...env,
        ...markedWith({ owner: await ownerLabel(options.podUid), clusterUid, runId, endsBy }),
      },
      logFile: logFile(release),
      headline: `--- ${new Date().toISOString()} ${what}, run ${request.runId}`,
      runFolder,
      timeoutSeconds: options.timeoutSeconds,
      finishSeconds: options.finishSeconds ?? FINISH_SECONDS,
      signal: request.signal,
      onStart: (pid) => records.keep(namespace, release, pid, { runId, endsBy }),
    });
    if (outcome.pid !== undefined) records.forget(namespace, release, outcome.pid);
    if (outcome.exitCode === 0) return { output: outcome.output, seconds: (performance.now() - started) / 1000 };
    if (outcome.cancelled) request.signal?.throwIfAborted();
    if (outcome.startError !== undefined)
      throw new HelmError(FAILURES.unexpected, `${what}: ${options.binary} cannot be started: ${outcome.startError}`);
    if (outcome.timedOut)
      throw new HelmError(
        FAILURES.helmInterrupted,
        `${what} was ended after ${options.timeoutSeconds} s. Its log: ${logFile(release)}`,
      );
    if (outcome.killedBy !== undefined && !/^Error: /m.test(outcome.output))
      throw new HelmError(FAILURES.helmInterrupted, `${what} was killed by ${outcome.killedBy}`);
    const { type, message } = classifyHelmOutput(outcome.output);
    throw new HelmError(type, `${what}: ${message}`);
  };

  /** The same, when it is its turn. */
  const queued = async (
    request: HelmRequest,
    verb: string,
    args: readonly string[],
    {
      values = '',
      object = request.release,
      env = {},
    }: { values?: string; object?: string; env?: PostRendering['env'] } = {},
  ): Promise<{ output: string; seconds: number; queuedSeconds: number }> => {
    const queuedAt = performance.now();
    let queuedSeconds = 0;
    const { signal: inQueue, leave } = untilItsTurn(request.signal);
    const done = await queue
      .add(
        () => {
          leave();
          queuedSeconds = (performance.now() - queuedAt) / 1000;
          return run(request, `helm ${verb} ${object} in ${request.namespace}`, args, values, env);
        },
        { priority: request.priority, signal: inQueue },
      )
      .finally(leave);
    return { ...done, queuedSeconds };
  };

  const upgrade = async (request: UpgradeRequest, more: readonly string[] = []): Promise<UpgradeResult> => {
    const work = async ({ args, env }: Pick<PostRendering, 'args' | 'env'>): Promise<UpgradeResult> => {
      const all = [...upgradeArgs(options, request), ...more, ...args];
      const { output, ...times } = await queued(request, 'upgrade --install', all, { values: request.values, env });
      return { revision: revisionOf(output), ...times };
    };
    if (request.change === undefined) return work({ args: [], env: {} });
    return withPostRenderer(home, request.change, async (rendering) => {
      try {
        return await work(rendering);
      } catch (error) {
        throw rendering.error() ?? error;
      }
    });
  };

  return {
    upgrade: (request) => upgrade(request),
    reapply: ({ revision, stored, manifest, ...request }) =>
      withRecordedChart(stored, (chart) =>
        upgrade({ ...request, chart, values: JSON.stringify(stored.config), change: () => manifest }, reapplyArgs()),
      ),
    uninstall: async (request) => {
      const { output: _words, ...times } = await queued(request, 'uninstall', uninstallArgs(options, request));
      return times;
    },
    rollback: async (request) => {
      const { output: _words, ...times } = await queued(request, 'rollback', rollbackArgs(options, request), {
        object: `${request.release} to revision ${request.revision}`,
      });
      return times;
    },
    alive: async (namespace, release, clusterUid) =>
      (await records.alive(namespace, release)) ??
      (clusterUid === undefined ? undefined : await helmFor(clusterUid, options.podUid, { namespace, release })),
    startedBy: (owner, namespace, release) => helmOf(owner, { namespace, release }),
    interrupted: (namespace, release) => records.dead(namespace, release),
    logFile,
  };
}

/**
 * The queue drops an aborted task at once even while it runs, and Helm has to have ended first: so only while it waits.
 */
function untilItsTurn(signal: AbortSignal | undefined): { signal: AbortSignal; leave: () => void } {
  const waiting = new AbortController();
  const abort = (): void => {
    waiting.abort(signal?.reason);
  };
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  return { signal: waiting.signal, leave: () => signal?.removeEventListener('abort', abort) };
}

function revisionOf(output: string): number {
  const revision = /^REVISION: (\d+)$/m.exec(output)?.[1];
  return revision === undefined ? 0 : Number(revision);
}
