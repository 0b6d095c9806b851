import type { OperationInput } from './deploy.ts';

export interface DestroyInput extends OperationInput {
  /** Volumes, Vault's data and buckets go as well; otherwise they stay. */
  deleteData: boolean;
}
