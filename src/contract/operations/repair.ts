import type { OperationInput } from './deploy.ts';
import type { DriftFinding } from '../drift.ts';

export interface RepairInput extends OperationInput {
  /** Those that may be repaired; others are only reported. */
  findings: DriftFinding[];
}
