/** Helm as the deployer uses it: `upgrade --install`, few processes at once, the longest remaining path first. */
import { join } from 'node:path';
import PQueue from 'p-queue';
import { FAILURES } from '../../contract/failures.ts';
import { privateFolder } from '../../process/files.ts';
import { classifyHelmOutput } from './classify.ts';
import { HelmError } from './errors.ts';
import { createProcessRecords, type HelmProcess } from './processes.ts';
import { runHelm } from './run.ts';

export interface HelmOptions {
  binary: string;
  /** State folder of the environment: Helm's own files, logs and process records go below it. */
  stateDir: string;
  /** Processes at once. */
  concurrency: number;
  /** Seconds until one process is ended. */
  timeoutSeconds: number;
  historyMax: number;
  /** PATH, HOME, proxies. */
  env: Readonly<Record<string, string>>;
  kubernetes: { kubeconfig: string; context?: string; inCluster: boolean };
}

export interface UpgradeRequest {
  namespace: string;
  release: string;
  /** Chart folder, an OCI reference, or a chart's name in `repository`. */
  chart: string;
  /** Of a publisher's chart. */
  repository?: string | undefined;
  version?: string | undefined;
  /** YAML. */
  values: string;
  /** Labels of the revision's Secret. Helm merges them over those of the revision before, so all of them are given each time. */
  labels: Record<string, string>;
  runId: string;
  /** Higher goes first. */
  priority: number;
  signal?: AbortSignal | undefined;
  /** Called once it has a slot, before Helm starts; what it throws ends the request. */
  onTurn?: () => Promise<void>;
}

export interface UpgradeResult {
  revision: number;
  /** Of the process alone. */
  seconds: number;
  queuedSeconds: number;
}

export interface HelmClient {
  /** @throws HelmError, or the signal's reason, in both cases only after the process has ended */
  upgrade(request: UpgradeRequest): Promise<UpgradeResult>;
  /** A process of this machine that works on the release, left by this or an earlier worker. */
  alive(namespace: string, release: string): Promise<HelmProcess | undefined>;
  logFile(release: string): string;
}

export function createHelmClient(options: HelmOptions): HelmClient {
  const home = join(options.stateDir, 'helm');
  const logs = join(options.stateDir, 'logs', 'helm');
  const runFolder = join(options.stateDir, 'run', 'helm');
  const records = createProcessRecords(runFolder);
  const queue = new PQueue({ concurrency: options.concurrency });
  const logFile = (release: string): string => join(logs, `${release}.log`);

  const run = async (request: UpgradeRequest, queuedAt: number): Promise<UpgradeResult> => {
    await request.onTurn?.();
    await Promise.all([privateFolder(home), privateFolder(logs)]);
    const started = performance.now();
    const { namespace, release } = request;
    const outcome = await runHelm(options.binary, {
      args: upgradeArgs(options, request),
      values: request.values,
      env: helmEnvironment(options.env, home),
      logFile: logFile(release),
      headline: `--- ${new Date().toISOString()} helm upgrade --install ${release} in ${namespace}, run ${request.runId}`,
      runFolder,
      timeoutSeconds: options.timeoutSeconds,
      signal: request.signal,
      onStart: (pid) => records.keep(namespace, release, pid, request.runId),
    });
    if (outcome.pid !== undefined) records.forget(namespace, release, outcome.pid);
    const seconds = (performance.now() - started) / 1000;
    if (outcome.exitCode === 0) return { revision: revisionOf(outcome.output), seconds, queuedSeconds: (started - queuedAt) / 1000 };
    if (outcome.cancelled) request.signal?.throwIfAborted();
    const what = `helm upgrade --install ${release} in ${namespace}`;
    if (outcome.startError !== undefined) throw new HelmError(FAILURES.unexpected, `${what}: ${options.binary} cannot be started: ${outcome.startError}`);
    if (outcome.timedOut) throw new HelmError(FAILURES.helmInterrupted, `${what} was ended after ${options.timeoutSeconds} s. Its log: ${logFile(release)}`);
    if (outcome.killedBy !== undefined && !/^Error: /m.test(outcome.output)) throw new HelmError(FAILURES.helmInterrupted, `${what} was killed by ${outcome.killedBy}`);
    const { type, message } = classifyHelmOutput(outcome.output);
    throw new HelmError(type, `${what}: ${message}`);
  };

  return {
    upgrade: (request) => {
      const queuedAt = performance.now();
      const { signal: inQueue, leave } = untilItsTurn(request.signal);
      return queue.add(() => {
        leave();
        return run(request, queuedAt);
      }, { priority: request.priority, signal: inQueue }).finally(leave);
    },
    alive: (namespace, release) => records.alive(namespace, release),
    logFile,
  };
}

/** The queue drops an aborted task at once even while it runs, and Helm has to have ended first: so only while it waits. */
function untilItsTurn(signal: AbortSignal | undefined): { signal: AbortSignal; leave: () => void } {
  const waiting = new AbortController();
  const abort = (): void => {
    waiting.abort(signal?.reason);
  };
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  return { signal: waiting.signal, leave: () => signal?.removeEventListener('abort', abort) };
}

function upgradeArgs(options: HelmOptions, request: UpgradeRequest): string[] {
  const { kubeconfig, context, inCluster } = options.kubernetes;
  return [
    'upgrade', '--install', request.release, request.chart,
    ...(request.repository === undefined ? [] : ['--repo', request.repository]),
    ...(request.version === undefined ? [] : ['--version', request.version]),
    '--namespace', request.namespace,
    '--values', '-',
    '--labels', Object.entries(request.labels).map(([name, value]) => `${name}=${value}`).join(','),
    // Server-side apply refuses unknown fields anyway; checking them beforehand costs four times the CPU.
    '--disable-openapi-validation',
    '--hide-notes',
    '--history-max', String(options.historyMax),
    // For hooks alone: readiness is watched, not waited for here. Ends before the process itself is ended.
    '--timeout', `${Math.max(1, Math.floor(options.timeoutSeconds * 0.9))}s`,
    ...(inCluster ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined || inCluster ? [] : ['--kube-context', context]),
  ];
}

/** Nothing of the user's Helm or kubectl is read or written. */
export function helmEnvironment(env: Readonly<Record<string, string>>, home: string): Record<string, string> {
  return {
    ...env,
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
    HELM_DRIVER: 'secret',
    KUBECACHEDIR: join(home, 'discovery'),
    // Its client would otherwise slow itself down to 5 requests a second.
    HELM_QPS: '100',
    HELM_BURST_LIMIT: '200',
    // A short-lived process: collecting garbage and more threads cost more than they bring.
    GOGC: 'off',
    GOMEMLIMIT: '512MiB',
    GOMAXPROCS: '1',
  };
}

function revisionOf(output: string): number {
  const revision = /^REVISION: (\d+)$/m.exec(output)?.[1];
  return revision === undefined ? 0 : Number(revision);
}
