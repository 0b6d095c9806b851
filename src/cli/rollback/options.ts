export interface RollbackOptions {
  env: string;
  plan?: string;
  to?: number;
  pastNoReturn?: true;
  confirm?: string;
  timeout?: number;
  detach?: true;
  json?: true;
}
