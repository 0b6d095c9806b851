export interface CheckpointListOptions {
  env: string;
  json?: true;
}

export interface CheckpointCreateOptions {
  env: string;
  json?: true;
}

export interface CheckpointReadOptions {
  env: string;
  identity: string;
  file?: string;
  json?: true;
}

export interface CheckpointRestoreOptions extends CheckpointReadOptions {
  confirm?: string;
}
