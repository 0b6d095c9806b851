/** Whoever decides something says so under the name that the cluster knows them by. */
import { isForbidden } from '../../clients/kubernetes/index.ts';
import { makeAttestation } from '../../effects/admission/attestation.ts';
import type { Connections } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import { withClients } from './clients.ts';
import type { CliContext } from './context.ts';
import { refused } from './failure.ts';
import { commandLine } from './format.ts';

export interface Attester {
  context: Pick<CliContext, 'config'>;
  environment: Environment;
  interrupted: AbortSignal;
}

/**
 * @param words end the two lines of the refusal: to what the name would be carried, and what is shown of an approver
 * @returns the name of what the API server has put the name of whoever runs the command on
 * @throws CliError (refused) where they may not make that
 */
export function attest(
  { context, environment, interrupted }: Attester,
  connections: Connections,
  purpose: string,
  words: { to: string; shown: string },
): Promise<string> {
  return withClients(context, environment, connections, ({ kubernetes }) =>
    makeAttestation(kubernetes, purpose, interrupted).catch((error: unknown) => {
      if (!isForbidden(error)) throw error;
      throw refused(
        `Your identity on ${kubernetes.server} may not create certificatesigningrequests, which would carry its name to ${words.to}.`,
        `${commandLine('rbac', 'show', '--env', environment.name, '--identity', 'approver')}   (${words.shown})`,
      );
    }),
  );
}
