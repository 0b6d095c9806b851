import type { SelectionOptions } from '../shared/selection-options.ts';

/** What to do where the lock is held. */
export const IF_RUNNING = ['attach', 'refuse', 'queue', 'supersede'] as const;

export const FOLLOW_HELP = 'show what the pods and Jobs of this service write, too; values of the platform are hidden';

export type IfRunning = (typeof IF_RUNNING)[number];

export interface DeployOptions extends SelectionOptions {
  env: string;
  detach?: true;
  timeout?: number;
  image?: Record<string, string>;
  /** File that `plan --out` wrote. */
  plan?: string;
  /** Name of a protected environment. */
  confirm?: string;
  /** Why it goes on although the environment is frozen. */
  overrideFreeze?: string;
  ifRunning: IfRunning;
  follow?: string;
  json?: true;
}

export interface AttachOptions {
  env: string;
  /** Service whose pods' lines are shown. */
  follow?: string;
  json?: true;
}
