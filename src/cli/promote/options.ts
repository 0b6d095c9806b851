export interface PromoteOptions {
  from: string;
  to: string;
  version?: number;
  pastNoReturn?: true;
  overrideFreeze?: string;
  confirm?: string;
  timeout?: number;
  detach?: true;
  json?: true;
}
