export interface InstallOptions {
  env: string;
  image?: string;
  dryRun?: true;
  confirm?: string;
  json?: true;
}
