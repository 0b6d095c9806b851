/** Which steps an operation carries out when. Pure, and without Node. */
import type { OperationStep } from '../../contract/operations/steps.ts';
import { isAdmission } from '../admission/kinds.ts';
import { SERVICES } from './platform.ts';

export interface Stages {
  /** Steps before anything is changed. */
  admission: OperationStep[];
  /** Steps of the operation that services wait for. */
  before: OperationStep[];
  /** Steps of the operation that wait for services, or for nothing. */
  after: OperationStep[];
  closing: OperationStep[];
}

export function stagesOf(steps: readonly OperationStep[]): Stages {
  const own = steps.filter(({ phase, kind }) => phase === undefined && kind !== 'services');
  const byId = new Map(own.map((step) => [step.id, step]));
  const waitedFor = new Set<OperationStep>();
  const add = (id: string): void => {
    const found = byId.get(id);
    if (found === undefined || waitedFor.has(found)) return;
    waitedFor.add(found);
    for (const needed of waitsOf(found)) add(needed);
  };
  for (const step of steps.filter(({ phase, id }) => phase !== undefined || id === SERVICES))
    for (const needed of waitsOf(step)) add(needed);
  const admission = own.filter(isAdmission);
  return {
    admission,
    before: own.filter((step) => waitedFor.has(step) && !admission.includes(step)),
    after: own.filter((step) => step.finally === undefined && !waitedFor.has(step) && !admission.includes(step)),
    closing: own.filter((step) => step.finally !== undefined),
  };
}

/** Ids of all that it waits for. */
export function waitsOf({ dependsOn, after = [] }: Pick<OperationStep, 'dependsOn' | 'after'>): string[] {
  return [...dependsOn, ...after];
}
