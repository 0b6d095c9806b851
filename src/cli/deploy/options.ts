import type { SelectionOptions } from '../shared/selection-options.ts';

/** What to do where the lock is held. */
export const IF_RUNNING = ['attach', 'refuse', 'queue', 'supersede'] as const;

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
  json?: true;
}

export interface AttachOptions {
  env: string;
  json?: true;
}
