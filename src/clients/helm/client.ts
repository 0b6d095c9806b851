/**
 * Helm as the deployer uses it: `upgrade --install`, `rollback` and `uninstall`, few processes at once, the longest
 * remaining path first.
 */
import { join } from 'node:path';
import { execa } from 'execa';
import PQueue from 'p-queue';
import { privateFolder } from '../../process/files.ts';
import { inSpan, keepingSpan } from '../../process/spans.ts';
import { ownerLabel } from '../../process/owner.ts';
import {
  helmEnvironment,
  kubeconfigEnvironment,
  reapplyArgs,
  rollbackArgs,
  uninstallArgs,
  upgradeArgs,
} from './arguments.ts';
import { boundSeconds, GRACE_SECONDS, guarded, limitSeconds, TIMED_OUT } from './bounded.ts';
import { helmFor, helmOf, markedWith } from './machine.ts';
import { assertDone, revisionOf } from './outcome.ts';
import { type PostRendering, withPostRenderer } from './post-render.ts';
import { descriptor, openProcessFiles } from './process-files.ts';
import { createProcessRecords } from './processes.ts';
import { withRecordedChart } from './recorded-chart.ts';
import type { HelmClient, HelmOptions, HelmRequest, UpgradeRequest, UpgradeResult } from './requests.ts';
import { someTimeAfter, untilItsTurn } from './signals.ts';

/** Together with the time that Helm needs to record a failure less than a worker has for its shutdown. */
const FINISH_SECONDS = 4;

/** The guard has killed Helm before it is killed itself. */
const GUARD_SECONDS = GRACE_SECONDS + 5;

export function createHelmClient(options: HelmOptions): HelmClient {
  const { binary, timeoutSeconds } = options;
  const home = join(options.stateDir, 'helm');
  const logs = join(options.stateDir, 'logs', 'helm');
  const runFolder = join(options.stateDir, 'run', 'helm');
  const records = createProcessRecords(runFolder);
  const queue = new PQueue({ concurrency: options.concurrency });
  const logFile = (release: string): string => join(logs, `${release}.log`);

  /**
   * One process, from its start to its end; a cancellation is answered only once the process has ended.
   * @param what the call in words, for log and errors
   * @returns what Helm wrote
   */
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
    const { namespace, release, runId, clusterUid, signal } = request;
    const endsBy = new Date(Date.now() + boundSeconds(timeoutSeconds) * 1000).toISOString();
    const all = {
      ...helmEnvironment(options.env, home),
      ...kubeconfigEnvironment(options),
      ...env,
      ...markedWith({ owner: await ownerLabel(options.podUid), clusterUid, runId, endsBy }),
    };
    const headline = `--- ${new Date().toISOString()} ${what}, run ${runId}`;
    const files = await openProcessFiles(runFolder, values, logFile(release), headline);
    const ending = someTimeAfter(signal, options.finishSeconds ?? FINISH_SECONDS);
    try {
      const [guard, ...prefix] = await guarded(all['PATH'] ?? '', limitSeconds(timeoutSeconds), GRACE_SECONDS);
      const child = execa(guard, [...prefix, binary, ...args], {
        env: all,
        extendEnv: false,
        // A session of its own: Ctrl-C in a worker's terminal is for the worker, which gives Helm its time, and a Helm
        // whose worker was killed finishes what it began.
        detached: true,
        stdin: descriptor(files.input),
        stdout: descriptor(files.log),
        stderr: descriptor(files.log),
        reject: false,
        timeout: timeoutSeconds * 1000,
        killSignal: 'SIGTERM',
        forceKillAfterDelay: GUARD_SECONDS * 1000,
        cancelSignal: ending.signal,
      });
      const { pid } = child;
      if (pid !== undefined) await records.keep(namespace, release, pid, { runId, endsBy });
      const result = await child;
      const output = await files.output();
      if (pid !== undefined) records.forget(namespace, release, pid);
      assertDone(
        {
          exitCode: result.exitCode,
          output,
          timedOut: result.timedOut || result.exitCode === TIMED_OUT,
          cancelled: result.isCanceled,
          killedBy: result.signal,
          startError: pid === undefined ? (result.originalMessage ?? 'cannot be started') : undefined,
        },
        { what, binary, timeoutSeconds, logFile: logFile(release), signal },
      );
      return { output, seconds: (performance.now() - started) / 1000 };
    } finally {
      ending.forget();
      await files.close();
    }
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
        keepingSpan(() => {
          leave();
          queuedSeconds = (performance.now() - queuedAt) / 1000;
          const { release, namespace } = request;
          const about = {
            'helm.release': release,
            'k8s.namespace.name': namespace,
            'helm.queue_seconds': queuedSeconds,
          };
          return inSpan(`helm ${verb}`, about, (context) =>
            run(request, `helm ${verb} ${object} in ${namespace}`, args, values, { ...env, ...context }),
          );
        }),
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
