/** Checks of the verification stage, as plans and results have them. */

/** One check that an operation makes once all services are healthy. */
export interface PlannedCheck {
  service: string;
  name: string;
  kind: 'http' | 'job' | 'promql';
  /** What it proves, in one line. */
  reason: string;
  /** Tried again for so long. */
  timeoutSeconds: number;
  /** Over its definition: a worker with another one refuses it. */
  digest: string;
  /** Why it is not made, where the environment says so. */
  skipped?: string;
}

export interface CheckOutcome {
  service: string;
  name: string;
  kind: PlannedCheck['kind'];
  passed: boolean;
  /** What proved it, or what came back instead: one line, no secrets. */
  text: string;
  seconds: number;
  /** File with events, conditions and logs, on the worker's machine. */
  evidence?: string;
}

/** A check as people and environments name it: `service/name`. */
export function checkKey({ service, name }: Pick<PlannedCheck, 'service' | 'name'>): string {
  return `${service}/${name}`;
}
