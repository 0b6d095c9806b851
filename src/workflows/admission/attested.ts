import { ApplicationFailure } from '@temporalio/workflow';
import type { Attested } from '../../contract/admission/approvals.ts';
import type { OverrideRequest } from '../../contract/admission/freeze.ts';
import type { RunRef } from '../../contract/operations/deploy.ts';
import { FAILURES } from '../../contract/failures.ts';
import { attestations } from '../activity-proxies.ts';
import { failureOf } from '../failure-of.ts';

/**
 * @param readers workers of the environment in whose cluster it was made
 * @throws ApplicationFailure InvalidInput where there is no such attestation, or nobody can be asked for it
 */
export async function attestedOf(
  run: RunRef,
  name: string,
  override?: OverrideRequest,
  readers = attestations,
): Promise<Attested> {
  const found = await readers.readAttestation
    .executeWithOptions({ summary: 'Who is it?' }, [{ run, name, ...(override ? { override } : {}) }])
    .catch((error: unknown) => {
      throw refusal(`The API server could not be asked who it is: ${failureOf(error).message}`);
    });
  if (found.attested === undefined)
    throw refusal(
      `There is no attestation ${name} in the cluster${override ? ' for just this operation and reason' : ''}`,
    );
  return found.attested;
}

function refusal(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, FAILURES.invalidInput);
}
