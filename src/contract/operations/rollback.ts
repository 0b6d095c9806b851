import type { OperationInput, RunRef } from './deploy.ts';

export interface RollbackInput extends OperationInput {
  /** Absent: the version before the current one. */
  toVersion?: number;
  /** Migrations that cannot be taken back are crossed all the same. */
  pastNoReturn: boolean;
  /** Takes back what a failed deployment changed, as its child; then there is no `toVersion`. */
  undo?: { run: RunRef; changed: string[] };
}
