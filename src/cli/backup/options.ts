import type { BackupPart } from '../../contract/backup.ts';
import type { RestoreOver } from '../../plan/backup/restore.ts';

export interface BackupOptions {
  env: string;
  to?: string;
  recipient?: string[];
  part?: BackupPart;
  json?: true;
}

export interface BackupKeyOptions {
  out: string;
  json?: true;
}

export interface ListOptions {
  env: string;
  in?: string;
  json?: true;
}

export interface VerifyOptions {
  /** Of a bucket. */
  env?: string;
  identity: string;
  json?: true;
}

export interface RestoreOptions {
  env: string;
  identity: string;
  part?: BackupPart;
  over?: RestoreOver[];
  keys?: string;
  dryRun?: true;
  confirm?: string;
  json?: true;
}
