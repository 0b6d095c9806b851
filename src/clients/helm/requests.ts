/** What the Helm client is made with and asked for. */
import type { HelmProcess } from './processes.ts';
import type { StoredRelease } from './stored.ts';

export interface HelmOptions {
  binary: string;
  /** State folder of the environment: Helm's own files, logs and process records go below it. */
  stateDir: string;
  /** Processes at once. */
  concurrency: number;
  /** Seconds until one process is ended. */
  timeoutSeconds: number;
  /** Seconds that a cancelled one gets to come to its own end before it is asked to; most need less. */
  finishSeconds?: number;
  /** Of the pod that this process runs in. */
  podUid?: string | undefined;
  /** PATH, HOME, proxies. */
  env: Readonly<Record<string, string>>;
  kubernetes: { kubeconfig: string; context?: string; inCluster: boolean };
}

/** What every call has in common: its release, its priority in the queue, its cancellation. */
export interface HelmRequest {
  namespace: string;
  release: string;
  runId: string;
  /** Uid of the cluster: on one machine, releases of several clusters may bear the same name. */
  clusterUid?: string | undefined;
  /** Higher goes first. */
  priority: number;
  signal?: AbortSignal | undefined;
  /** Recorded with the revision; at most 256 characters. */
  description?: string;
  /** Called once it has a slot, before Helm starts; what it throws ends the request. */
  onTurn?: () => Promise<void>;
}

export interface UpgradeRequest extends HelmRequest {
  /** Chart folder, or an archive on this machine: Helm fetches nothing by itself. */
  chart: string;
  /** YAML. */
  values: string;
  /**
   * Labels of the revision's Secret. Helm merges them over those of the revision before, so all of them are given each
   * time.
   */
  labels: Record<string, string>;
  /** Changes what the chart has rendered before it is applied and recorded. */
  change?: ((manifest: string) => string) | undefined;
}

/** As a rollback, of a manifest that is not exactly the one in Helm's history. Hooks are recorded and not run. */
export interface ReapplyRequest extends Omit<UpgradeRequest, 'chart' | 'values' | 'change'> {
  /** In Helm's history. */
  revision: number;
  /** Its record. */
  stored: StoredRelease;
  /** YAML documents, in place of those of the record. */
  manifest: string;
}

/**
 * Helm copies chart, values, manifest and labels of the revision: whoever owns the new one has to say so on it
 * afterwards.
 */
export interface RollbackRequest extends HelmRequest {
  /** In Helm's history. */
  revision: number;
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
