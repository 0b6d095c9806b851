export interface RotateOptions {
  env: string;
  all?: true;
  /** Seconds. */
  olderThan?: number;
  plan?: string;
  confirm?: string;
  /** Why it goes on although the environment is frozen. */
  overrideFreeze?: string;
  timeout?: number;
  detach?: true;
  json?: true;
}
