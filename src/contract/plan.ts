/** The plan of a deployment: what will be done to each service and why. Recorded in the workflow's history. */

export type PlannedAction =
  /** Nothing there yet. */
  | 'install'
  /** Chart, values or image differ from what the release was made from. */
  | 'upgrade'
  /** The last attempt failed or was interrupted: apply again. */
  | 'retry'
  /** Applied as wanted, not healthy yet: wait for it. */
  | 'verify'
  /** Applied as wanted and healthy. */
  | 'unchanged';

export interface PlannedStep {
  kind: 'release' | 'vault-bootstrap';
  /** Helm release name; for the main step the service's name. */
  name: string;
  namespace: string;
  /** True where the release is a Job that has to complete. */
  job: boolean;
  action: PlannedAction;
  reason: string;
  /** Digest of chart, values and image: 16 hex characters; execution refuses to apply anything else. */
  digest: string;
}

export interface PlannedService {
  number: number;
  phase: number;
  name: string;
  namespace: string;
  dependsOn: string[];
  /** The most invasive action of its steps. */
  action: PlannedAction;
  reason: string;
  steps: PlannedStep[];
  /** Seconds of the longest path from the start of this service to the end of the graph: who has more goes first. */
  remainingSeconds: number;
  /** Seconds until waiting for health is given up. */
  healthTimeoutSeconds: number;
}

export interface DeployPlan {
  environment: string;
  /** 16 hex characters over all steps' digests and actions. */
  digest: string;
  /** Longest path through the graph, from declared start-up times. */
  criticalPathSeconds: number;
  criticalPath: string[];
  services: PlannedService[];
  /** True where namespaces, Vault's configuration or Secrets have to be touched. */
  groundwork: boolean;
  /** Simulated pods: for people to know. */
  simulated: boolean;
  /** Titles of the 14 phases by number. */
  phases: { number: number; title: string }[];
  /** Seconds after which one Helm process is ended: the activity's own timeout is longer. */
  helmTimeoutSeconds: number;
}
