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
  /** Not needed for snapshots of volumes. */
  identity?: string;
  file?: string;
  json?: true;
}

export interface CheckpointRestoreOptions extends CheckpointReadOptions {
  /** Once more, although it was put back before and has been written to since. */
  again?: true;
  confirm?: string;
}
