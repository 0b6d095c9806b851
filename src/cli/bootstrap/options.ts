export interface BootstrapOptions {
  env: string;
  image?: string;
  dryRun?: true;
  json?: true;
}
