/** Takes the platform down, dependents first. Data stays unless it was asked for in words. */
import type { OperationResult, Remain, ServiceFailure } from '../contract/deploy.ts';
import type { DestroyInput } from '../contract/destroy.ts';
import { FAILURES } from '../contract/failures.ts';
import { GOOD_STATES } from '../contract/states.ts';
import { outcomes } from '../plan/progress.ts';
import { clearing, ground, reads } from './activity-proxies.ts';
import { runOperation } from './operation.ts';

export function destroy(input: DestroyInput): Promise<OperationResult> {
  const { deleteData, expectedDigest } = input;
  return runOperation({
    operation: 'destroy',
    input,
    plan: (run) =>
      reads.planDestroy.executeWithOptions({ summary: 'Plan: what has to be removed' }, [
        { run, deleteData, ...(expectedDigest === undefined ? {} : { expectedDigest }) },
      ]),
    before: async (run) => {
      await ground.removeDriftSchedule.executeWithOptions({ summary: 'No more drift runs' }, [run]);
      return {};
    },
    after: async (run, _plan, view) => {
      // Under a release that could not be removed its Secrets and its namespace are still needed.
      if (!outcomes(view).every(({ state }) => GOOD_STATES.includes(state))) return {};
      const { removed, remains } = await clearing.removeRemains.executeWithOptions(
        { summary: 'Secrets, definitions, namespaces' },
        [{ run, deleteData }],
      );
      const stuck = remains.filter(({ state }) => state === 'stuck');
      return {
        remains,
        ...(stuck.length > 0
          ? { failure: stuckFailure(stuck) }
          : removed.length > 0
            ? { outcome: 'succeeded' as const }
            : {}),
      };
    },
  });
}

function stuckFailure(stuck: readonly Remain[]): ServiceFailure {
  const lines = stuck.map(
    ({ kind, namespace, name, reason }) =>
      `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}: ${reason}`,
  );
  return {
    type: FAILURES.stuck,
    message: `Deleted, and still there:\n${lines.join('\n')}\nRemove what holds it, then run destroy again: it goes on with what is left.`,
  };
}
