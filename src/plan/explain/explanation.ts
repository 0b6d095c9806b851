/** Everything that is known of a service now, in the order in which somebody asks. */
import type { PodRow } from './pods.ts';

export interface Explanation {
  service: string;
  namespace: string;
  /** Its health check, asked now. */
  healthy: boolean;
  /** What proved it, or why not. */
  text: string;
  /** What it depends on, each asked now. */
  dependsOn: { service: string; healthy: boolean; text: string }[];
  /** Services that wait for it, or would. */
  dependents: string[];
  /** ResourceQuotas of its namespaces that are used up, or nearly; only where it is not healthy. */
  quotas: string[];
  /** Its own Helm release and those before and after it, in their order. */
  releases: ReleaseExplanation[];
  /** The newest operation, as far as it concerns the service; absent where no engine answers or nothing ever ran. */
  operation?: OperationExplanation;
  /** Why `operation` is absent, where the engine was asked and did not answer. */
  engineProblem?: string;
}

export interface ReleaseExplanation {
  name: string;
  namespace: string;
  /** As Helm records it; absent where Helm knows no such release. */
  helm?: {
    revision: number;
    status: string;
    /** ISO 8601. */
    writtenAt: string;
    /** By Helm as we call it, or by somebody else. */
    manager: string;
  };
  workloads: { name: string; status: 'healthy' | 'progressing' | 'failed'; message: string }[];
  pods: PodRow[];
  /** Volume claims that are not bound. */
  claims: string[];
  /** Warnings of controllers and kubelets, the newest first. */
  warnings: { at: string; object: string; reason: string; message: string; times: number }[];
  /** Ends of logs, of pods in trouble first. */
  logs: { pod: string; container: string; previous: boolean; lines: string[] }[];
}

export interface OperationExplanation {
  /** `deploy`, `rollback`, … */
  operation: string;
  running: boolean;
  /** ISO 8601. */
  startedAt: string;
  /** Of the service within it. */
  state: string;
  /** ISO 8601: since when it is in that state. */
  since?: string;
  /** While its health is waited for: seconds until the operation gives up on a release, what people added included. */
  healthDeadlineSeconds?: number;
  /** Services that it waits for. */
  waitsFor: string[];
  /** Whom or what the whole operation waits for (approvals, a freeze, a pause), and what is asked about the service. */
  held?: string[];
  /** What people decided about the service in it. */
  decided?: string[];
  detail?: string;
  /** Why it failed. */
  failure?: string;
  /** File with what was collected then, on the worker's machine. */
  evidence?: string;
  retries: { activity: string; attempt: number; message: string; nextAt?: string }[];
  /** Causes that health waits have reported, such as a quota. */
  causes: string[];
}
