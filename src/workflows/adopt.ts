/**
 * Takes over what somebody else has installed in the place of a service, under the lock; applies and deletes nothing.
 */
import type { AdoptInput } from '../contract/adopt.ts';
import type { OperationResult } from '../contract/deploy.ts';
import { ground, reads } from './activity-proxies.ts';
import { runOperation } from './operation.ts';

export function adopt(input: AdoptInput): Promise<OperationResult> {
  const { service, expectedDigest, requestedBy } = input;
  return runOperation({
    operation: 'adopt',
    input,
    plan: (run) =>
      reads.planAdopt.executeWithOptions({ summary: `Plan: what is taken over for ${service}` }, [
        { run, service, expectedDigest },
      ]),
    before: async (run, plan) => {
      const { adopted } = await ground.adoptReleases.executeWithOptions({ summary: `Take over ${service}` }, [
        { run, service, requestedBy, plan },
      ]);
      return {
        outcome: 'succeeded',
        notes: [
          ...adopted.map(
            (release) => `${release} was taken over by ${requestedBy}. Nothing of it was applied or deleted.`,
          ),
        ],
      };
    },
  });
}
