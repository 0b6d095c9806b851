/**
 * Takes over what somebody else has installed in the place of a service, under the lock; applies and deletes nothing.
 */
import type { AdoptInput } from '../contract/adopt.ts';
import type { OperationResult } from '../contract/deploy.ts';
import { reads } from './activity-proxies.ts';
import { runOperation } from './operation.ts';

export function adopt(input: AdoptInput): Promise<OperationResult> {
  const { service, expectedDigest } = input;
  return runOperation({
    operation: 'adopt',
    input,
    intent: { verb: 'adopt', service },
    plan: (run) =>
      reads.planAdopt.executeWithOptions({ summary: `Plan: what is taken over for ${service}` }, [
        { run, service, expectedDigest },
      ]),
  });
}
