/** What `ananta status` found out. */
import type { DeploymentDescription, ScheduleView } from '../../clients/temporal/index.ts';
import type { LockHolder, QueueMemo } from '../../contract/lock.ts';
import type { Component } from '../shared/components/components.ts';
import type { LiveView } from '../render/live.ts';

export interface StatusReport {
  environment: string;
  /** Absent: nothing was ever deployed, or the engine could not be asked. */
  deployment?: { description: DeploymentDescription; view: LiveView; url?: string; note?: string };
  /** Who holds the lock, while an operation is running. */
  holder?: LockHolder;
  /** Who waits for it. */
  queued?: QueueMemo;
  /** The schedule of drift runs; absent where there is none. */
  schedule?: ScheduleView;
  /** The line that helps where the holder does not move. */
  revive?: string;
  /** Why the engine could not be asked. */
  engineProblem?: string;
  components: Component[];
  /** Names of services by what their pods are; absent where no pod is simulated. */
  pods?: { real: string[]; simulated: string[] };
}
