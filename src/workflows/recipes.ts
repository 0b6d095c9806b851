/** What operations differ in: which activity makes their plan, and what the plan is to be complete for. */
import type { AdoptInput } from '../contract/operations/adopt.ts';
import type { DeployInput, RunRef } from '../contract/operations/deploy.ts';
import type { DestroyInput } from '../contract/operations/destroy.ts';
import type { Operation, OperationPlan } from '../contract/operations/plan.ts';
import type { RepairInput } from '../contract/operations/repair.ts';
import type { RollbackInput } from '../contract/operations/rollback.ts';
import type { Intent } from '../plan/steps/intent.ts';
import type { RotateInput } from '../contract/operations/rotate.ts';
import { reads } from './activity-proxies.ts';

export interface Inputs {
  deploy: DeployInput;
  rollback: RollbackInput;
  repair: RepairInput;
  destroy: DestroyInput;
  adopt: AdoptInput;
  rotate: RotateInput;
}

export interface Recipe {
  intent: Intent;
  /** Run that is taken back, under its lock. */
  undoes?: string;
  /** Changes nothing. */
  plan: (run: RunRef) => Promise<OperationPlan>;
}

export const RECIPES: { [Name in Operation]: (input: Inputs[Name]) => Recipe } = {
  deploy: ({ selection, expectedDigest }) => ({
    intent: { verb: 'deploy' },
    plan: (run) =>
      reads.makePlan.executeWithOptions({ summary: 'Plan: what will be done to each service, and why' }, [
        { run, ...(selection ? { selection } : {}), ...bound(expectedDigest) },
      ]),
  }),
  rollback: ({ toVersion, pastNoReturn, undo, expectedDigest }) =>
    undo
      ? {
          intent: { verb: 'undo' },
          undoes: undo.run.runId,
          plan: () =>
            reads.planUndo.executeWithOptions({ summary: 'Plan: what this run changed, and what was there before' }, [
              { run: undo.run, changed: undo.changed },
            ]),
        }
      : {
          intent: { verb: 'rollback' },
          plan: (run) =>
            reads.planRollback.executeWithOptions({ summary: 'Plan: what leads back' }, [
              { run, pastNoReturn, ...(toVersion === undefined ? {} : { toVersion }), ...bound(expectedDigest) },
            ]),
        },
  repair: ({ findings }) => ({
    intent: { verb: 'repair', findings },
    plan: (run) =>
      reads.planRepair.executeWithOptions({ summary: 'Plan: what has drifted, and what brings it back' }, [
        { run, findings },
      ]),
  }),
  destroy: ({ deleteData, expectedDigest }) => ({
    intent: { verb: 'destroy', deleteData },
    plan: (run) =>
      reads.planDestroy.executeWithOptions({ summary: 'Plan: what has to be removed' }, [
        { run, deleteData, ...bound(expectedDigest) },
      ]),
  }),
  adopt: ({ service, services = [], expectedDigest, undo }) => ({
    intent: {
      verb: 'adopt',
      services: (service === undefined ? services : [service]).map((name) => ({ service: name })),
      ...(undo ? { undo } : {}),
    },
    plan: (run) =>
      reads.planAdopt.executeWithOptions(
        {
          summary: `Plan: what is ${undo ? 'given back of' : 'taken over for'} ${service ?? `${services.length} services`}`,
        },
        [{ run, ...(service === undefined ? { services } : { service }), expectedDigest, ...(undo ? { undo } : {}) }],
      ),
  }),
  rotate: ({ secrets, olderThanSeconds, expectedDigest }) => ({
    intent: { verb: 'rotate', secrets: [] },
    plan: (run) =>
      reads.planRotate.executeWithOptions({ summary: 'Plan: which secrets get a new value, and who reads them' }, [
        {
          run,
          ...(secrets ? { secrets } : {}),
          ...(olderThanSeconds === undefined ? {} : { olderThanSeconds }),
          ...bound(expectedDigest),
        },
      ]),
  }),
};

/** A plan that somebody has looked at: any other one is refused. */
function bound(expectedDigest: string | undefined): { expectedDigest?: string } {
  return expectedDigest === undefined ? {} : { expectedDigest };
}
