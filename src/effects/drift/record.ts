import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { withRepairs, withRun } from '../../plan/drift/memory.ts';
import type { EffectScope } from '../effect.ts';
import { updateDriftState } from './state.ts';

/** Keeps the run and counts what it tried to repair; a second attempt of the same run counts nothing twice. */
export async function recordDrift(
  clients: Clients,
  { run, outcome, attempted, findings, repaired, flapping, seconds, reason }: InputOf<'recordDrift'>,
  scope: EffectScope,
): OutputOf<'recordDrift'> {
  scope.doing('remembers the run');

  const { drift } = await currentEnvironment(clients);
  const now = Date.now();
  const { workflowId, runId } = run;
  await updateDriftState(
    clients.kubernetes,
    run.environment,
    (state) => {
      if (state.runs.some((known) => known.runId === runId)) return state;
      const remembered = withRun(withRepairs(state, attempted, drift, now), {
        at: new Date(now).toISOString(),
        workflowId,
        runId,
        outcome,
        findings,
        repaired,
        flapping,
        seconds: Math.round(seconds * 10) / 10,
        ...(reason === undefined ? {} : { reason: clients.redactor.redact(reason).slice(0, 300) }),
      });
      if (outcome !== 'clean') return remembered;
      // After a clean run the same drift is notified of again.
      const { notified: _, notifiedBy: __, ...rest } = remembered;
      return rest;
    },
    scope.signal,
  );
}
