/** What pods show of a failure. */
import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import type { PhaseInput, ServiceFailure } from '../contract/operations/deploy.ts';
import type { PlannedService } from '../contract/operations/plan.ts';
import { reads } from './activity-proxies.ts';
import { failureOf } from './failure-of.ts';

const EVIDENCE_MILLISECONDS = 60_000;

/** Collected before anything else happens to the pods. A failure to collect never hides the failure itself. */
export async function withEvidence(
  { run }: Pick<PhaseInput, 'run'>,
  service: PlannedService,
  failure: ServiceFailure,
): Promise<ServiceFailure> {
  try {
    const found = await CancellationScope.withTimeout(EVIDENCE_MILLISECONDS, () =>
      reads.collectEvidence.executeWithOptions({ summary: `Evidence of ${service.name}` }, [
        { run, service, reason: failure.message },
      ]),
    );
    return { ...failure, ...found };
  } catch (error) {
    const reason = error instanceof ApplicationFailure ? error.message : failureOf(error).message;
    return { ...failure, summary: [`No evidence could be collected: ${reason}`] };
  }
}
