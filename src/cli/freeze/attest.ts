/** Whoever overrides a freeze says so under the name that the cluster knows them by. */
import { overridePurpose } from '../../effects/admission/attestation.ts';
import type { OperationInput } from '../../contract/operations/deploy.ts';
import type { Operation } from '../../contract/operations/plan.ts';
import type { Connections } from '../../environment/connections.ts';
import { overrideRequest } from '../../plan/admission/override.ts';
import { attest, type Attester } from '../shared/attest.ts';

/**
 * The input with the proof of who overrides; as it is, where nothing is overridden, or no freeze could hold it up.
 * @throws CliError (refused) where whoever asks may not make the proof
 */
export async function withOverrideProof<
  Input extends Pick<OperationInput, 'environment' | 'clusterUid' | 'freezeOverride'>,
>(
  asker: Attester,
  connections: Connections,
  operation: Operation,
  input: Input,
): Promise<Input & Pick<OperationInput, 'freezeAttestation'>> {
  const { freeze } = asker.environment;
  if (input.freezeOverride === undefined || freeze === undefined || freeze.allow.includes(operation)) return input;
  const purpose = overridePurpose(overrideRequest(operation, input, input.freezeOverride));
  return { ...input, freezeAttestation: await attestOverride(asker, connections, purpose) };
}

/** @returns the name of what the API server has put the name of whoever runs the command on */
export function attestOverride(asker: Attester, connections: Connections, purpose: string): Promise<string> {
  return attest(asker, connections, purpose, {
    to: 'the operation: who overrides a freeze has to be proved',
    shown: 'what it takes',
  });
}
