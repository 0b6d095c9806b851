export interface BootstrapOptions {
  env: string;
  image?: string;
  dryRun?: true;
  confirm?: string;
  json?: true;
}
