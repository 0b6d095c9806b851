/** Takes the platform down, dependents first. Data stays unless it was asked for in words. */
import type { DeployResult } from '../contract/deploy.ts';
import type { DestroyInput } from '../contract/destroy.ts';
import { GOOD_STATES } from '../contract/states.ts';
import { outcomes } from '../plan/progress.ts';
import { clearing, ground, reads } from './activity-proxies.ts';
import { runOperation } from './operation.ts';

export function destroy(input: DestroyInput): Promise<DeployResult> {
  const { deleteData } = input;
  return runOperation({
    operation: 'destroy',
    input,
    plan: (run) => reads.planDestroy.executeWithOptions({ summary: 'Plan: what has to be removed' }, [{ run, deleteData }]),
    before: async (run) => {
      await ground.removeDriftSchedule.executeWithOptions({ summary: 'No more drift runs' }, [run]);
      return {};
    },
    after: async (run, _plan, view) => {
      // Under a release that could not be removed its Secrets and its namespace are still needed.
      if (!outcomes(view).every(({ state }) => GOOD_STATES.includes(state))) return {};
      const { remains } = await clearing.removeRemains.executeWithOptions({ summary: 'Secrets, definitions, namespaces' }, [{ run, deleteData }]);
      return { remains };
    },
  });
}
