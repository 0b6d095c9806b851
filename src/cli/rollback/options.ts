export interface RollbackOptions {
  env: string;
  plan?: string;
  to?: number;
  pastNoReturn?: true;
  /** Databases are put back from their checkpoints first. */
  restore?: true;
  identity?: string;
  confirm?: string;
  /** Why it goes on although the environment is frozen. */
  overrideFreeze?: string;
  timeout?: number;
  detach?: true;
  json?: true;
}
