import type { OperationStep, StepKind } from '../../contract/operations/steps.ts';

const ADMISSION: readonly StepKind[] = ['policy', 'freeze', 'gate'];

/** Whether it has to pass before the operation does anything. */
export function isAdmission({ kind, phase }: Pick<OperationStep, 'kind' | 'phase'>): boolean {
  return phase === undefined && ADMISSION.includes(kind);
}
