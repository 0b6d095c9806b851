import type { OperationInput, RunRef } from './deploy.ts';

export interface RollbackInput extends OperationInput {
  /** Absent: the version before the current one. */
  toVersion?: number;
  /** Rolls back across migrations that cannot be undone. */
  pastNoReturn: boolean;
  /** Takes back what a failed deployment changed, as its child; then there is no `toVersion`. */
  undo?: { run: RunRef; changed: string[] };
}
