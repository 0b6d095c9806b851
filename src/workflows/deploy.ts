/** One deployment of the platform: whatever is missing or differs, until every service is healthy. */
import type { DeployInput, OperationResult } from '../contract/deploy.ts';
import { reads } from './activity-proxies.ts';
import { runOperation } from './operation.ts';

export function deploy(input: DeployInput): Promise<OperationResult> {
  const { selection, expectedDigest } = input;
  return runOperation({
    operation: 'deploy',
    input,
    intent: { verb: 'deploy' },
    plan: (run) =>
      reads.makePlan.executeWithOptions({ summary: 'Plan: what will be done to each service, and why' }, [
        { run, ...(selection ? { selection } : {}), ...(expectedDigest === undefined ? {} : { expectedDigest }) },
      ]),
  });
}
