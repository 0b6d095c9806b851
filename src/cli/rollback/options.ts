export interface RollbackOptions {
  env: string;
  plan?: string;
  to?: number;
  pastNoReturn?: true;
  confirm?: string;
  /** Why it goes on although the environment is frozen. */
  overrideFreeze?: string;
  timeout?: number;
  detach?: true;
  json?: true;
}
