/** A workflow of another team, in a Temporal namespace of its own: the sample of docs/look-up/nexus.md. */
import { ananta, type DeployInput, endpointOf, type OperationOutput } from 'ananta-deploy/nexus';
import { createNexusServiceClient, NexusOperationCancellationType } from '@temporalio/workflow';

export interface Release {
  environment: string;
  deploy: DeployInput;
}

/** Deploys, then has the platform looked at. */
export async function release({ environment, deploy }: Release): Promise<OperationOutput> {
  const platform = createNexusServiceClient({ service: ananta, endpoint: endpointOf(environment) });
  const done = await platform.executeOperation('deploy', deploy, {
    scheduleToCloseTimeout: '2 hours',
    summary: `Deploy to ${environment}`,
    // Whoever cancels this workflow cancels the deployment, and waits for its end.
    cancellationType: NexusOperationCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
  const { healthy, unwell } = await platform.executeOperation('verify', {}, { scheduleToCloseTimeout: '30 minutes' });
  if (!healthy) throw new Error(`Deployed as version ${done.version}, and not well: ${unwell.join('; ')}`);
  return done;
}

/** Any one of the operations. */
export async function ask(
  environment: string,
  operation: 'status' | 'verify' | 'deploy' | 'promote',
  input: object,
): Promise<unknown> {
  const platform = createNexusServiceClient({ service: ananta, endpoint: endpointOf(environment) });
  return platform.executeOperation(operation, input as never, {
    scheduleToCloseTimeout: '5 minutes',
    cancellationType: NexusOperationCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}
