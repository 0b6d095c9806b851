/** Steps on the platform as a whole. */
import { CancellationScope } from '@temporalio/workflow';
import type { OperationResult, RemainingObject, ServiceFailure } from '../../contract/operations/deploy.ts';
import { FAILURES } from '../../contract/failures.ts';
import { pruning, writes, namespaces, reads } from '../activity-proxies.ts';
import { operationOf, type StepCall, type StepEnd } from './call.ts';

const EVIDENCE_MILLISECONDS = 60_000;

/** What cannot be collected in a minute does not keep a broken platform broken. */
export async function collectEvidence(call: StepCall): Promise<StepEnd> {
  const { run, step } = call;
  const service = operationOf(call).plan?.services.find(({ name }) => name === step.service);
  if (service === undefined) return {};
  const { evidence } = await CancellationScope.withTimeout(EVIDENCE_MILLISECONDS, () =>
    reads.collectEvidence.executeWithOptions({ summary: `Evidence of ${service.name}, before it is touched` }, [
      { run, service, reason: step.reason, before: true },
    ]),
  );
  return evidence === undefined ? {} : { result: { evidence: [{ service: service.name, file: evidence }] } };
}

export async function ensureNamespaces({ run }: StepCall): Promise<StepEnd> {
  const { created } = await namespaces.ensureNamespaces.executeWithOptions({ summary: 'Namespaces of the platform' }, [
    run,
  ]);
  return { changed: created.length > 0 };
}

export async function repairFindings(call: StepCall): Promise<StepEnd> {
  const { findings = [] } = operationOf(call).input;
  const { repaired, refused = [] } = await writes.repairFindings.executeWithOptions(
    { summary: 'What no release can repair' },
    [{ run: call.run, findings }],
  );
  return { changed: repaired.length > 0, notes: refused };
}

export async function adopt(call: StepCall): Promise<StepEnd> {
  const { run, step } = call;
  const { plan, input } = operationOf(call);
  const { service = '', undo } = step;
  const { requestedBy } = input;
  if (plan === undefined) return {};
  const { adopted } = await writes.adoptReleases.executeWithOptions(
    { summary: `${undo ? 'Give back' : 'Take over'} ${service}` },
    [{ run, service, requestedBy, plan, ...(undo ? { undo } : {}) }],
  );
  return {
    changed: true,
    notes: adopted.map(
      (release) =>
        `${release} was ${undo ? 'given back' : 'taken over'} by ${requestedBy}. Nothing of it was applied or deleted.`,
    ),
    result: { outcome: 'succeeded' },
  };
}

export async function removeSchedule({ run }: StepCall): Promise<StepEnd> {
  await writes.removeDriftSchedule.executeWithOptions({ summary: 'No more drift runs' }, [run]);
  return {};
}

export async function prune({ run, step }: StepCall): Promise<StepEnd> {
  const { removed, remains } = await pruning.removeRemains.executeWithOptions(
    { summary: 'Secrets, definitions, namespaces' },
    [{ run, deleteData: step.deleteData === true }],
  );
  const stuck = remains.filter(({ state }) => state === 'stuck');
  const end: Partial<OperationResult> =
    stuck.length > 0 ? { failure: stuckFailure(stuck) } : removed.length > 0 ? { outcome: 'succeeded' } : {};
  return { changed: removed.length > 0, result: { remains, ...end } };
}

function stuckFailure(stuck: readonly RemainingObject[]): ServiceFailure {
  const lines = stuck.map(
    ({ kind, namespace, name, reason }) =>
      `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}: ${reason}`,
  );
  return {
    type: FAILURES.stuck,
    message: `Deleted, and still there:\n${lines.join('\n')}\nRemove what holds it, then run destroy again: it goes on with what is left.`,
  };
}
