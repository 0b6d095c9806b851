/** The verification stage: what has to be true of the platform once its services are healthy. */
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { CheckOutcome, PlannedCheck } from '../../contract/checks.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { PlannedService } from '../../contract/operations/plan.ts';
import { checks, reads } from '../activity-proxies.ts';
import { failureOf } from '../failure-of.ts';
import { misplaced, operationOf, type StepCall, type StepEnd } from './call.ts';

const EVIDENCE_MILLISECONDS = 60_000;

/** One that does not pass is no error of the step: all of them are made, and the operation fails with every one. */
export async function check(call: StepCall): Promise<StepEnd> {
  const { run, step } = call;
  const { plan } = operationOf(call);
  const planned = plan?.checks?.find(({ service, name }) => service === step.service && name === step.check);
  if (planned === undefined) return misplaced(step);
  const { service, name, kind } = planned;
  const started = Date.now();
  const ended = (outcome: Omit<CheckOutcome, 'service' | 'name' | 'kind'>): StepEnd => ({
    result: { checks: [{ service, name, kind, ...outcome }] },
  });
  try {
    const { text, seconds } = await checks(planned.timeoutSeconds).runCheck.executeWithOptions(
      { summary: `Check ${service}/${name}: ${planned.reason}` },
      [{ run, check: planned }],
    );
    return ended({ passed: true, text, seconds });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { type, message } = failureOf(error);
    if (type !== FAILURES.checkFailed) throw error;
    const of = plan?.services.find((candidate) => candidate.name === service);
    const evidence = of === undefined ? undefined : await evidenceOf(run, of, planned, message);
    return ended({
      passed: false,
      text: message,
      seconds: (Date.now() - started) / 1000,
      ...(evidence === undefined ? {} : { evidence }),
    });
  }
}

/** Collected before anything is taken back. A failure to collect never hides the failure itself. */
async function evidenceOf(
  run: StepCall['run'],
  service: PlannedService,
  { name }: PlannedCheck,
  reason: string,
): Promise<string | undefined> {
  try {
    const { evidence } = await CancellationScope.withTimeout(EVIDENCE_MILLISECONDS, () =>
      reads.collectEvidence.executeWithOptions({ summary: `Evidence of check ${service.name}/${name}` }, [
        { run, service, reason, check: name },
      ]),
    );
    return evidence;
  } catch (error) {
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    return undefined;
  }
}
