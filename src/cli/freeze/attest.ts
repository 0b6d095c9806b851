/** Whoever overrides a freeze says so under the name that the cluster knows them by. */
import { isForbidden } from '../../clients/kubernetes/index.ts';
import { makeAttestation, overridePurpose } from '../../effects/admission/attestation.ts';
import type { OperationInput } from '../../contract/operations/deploy.ts';
import type { Operation } from '../../contract/operations/plan.ts';
import type { Connections } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import { overrideRequest } from '../../plan/admission/override.ts';
import { withClients } from '../shared/clients.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';

interface Asker {
  context: Pick<CliContext, 'config'>;
  environment: Environment;
  interrupted: AbortSignal;
}

/**
 * The input with the proof of who overrides; as it is, where nothing is overridden, or no freeze could hold it up.
 * @throws CliError (refused) where whoever asks may not make the proof
 */
export async function withOverrideProof<
  Input extends Pick<OperationInput, 'environment' | 'clusterUid' | 'freezeOverride'>,
>(
  asker: Asker,
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
export function attestOverride(
  { context, environment, interrupted }: Asker,
  connections: Connections,
  purpose: string,
): Promise<string> {
  return withClients(context, environment, connections, ({ kubernetes }) =>
    makeAttestation(kubernetes, purpose, interrupted).catch((error: unknown) => {
      if (!isForbidden(error)) throw error;
      throw refused(
        `Your identity on ${kubernetes.server} may not create certificatesigningrequests, which would carry its name to the operation: who overrides a freeze has to be proved.`,
        `${commandLine('rbac', 'show', '--env', environment.name, '--identity', 'approver')}   (what it takes)`,
      );
    }),
  );
}
