export interface NexusOptions {
  env: string;
  json?: true;
}
