export interface PromoteOptions {
  from: string;
  to: string;
  version?: number;
  pastNoReturn?: true;
  /** Shows the plan, and starts nothing. */
  dryRun?: true;
  /** Digest of the plan that was looked at: another one is refused. */
  digest?: string;
  overrideFreeze?: string;
  confirm?: string;
  timeout?: number;
  detach?: true;
  json?: true;
}
