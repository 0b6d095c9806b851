/** Whether the environment's file lets a caller have an operation. Pure. */
import { FAILURES } from '../../contract/failures.ts';
import type { NexusOperation } from '../../contract/nexus/operations.ts';
import type { Environment } from '../../environment/schema.ts';
import type { NexusCaller } from './caller.ts';
import { NexusRefusedError } from './refused.ts';

type Asked = Pick<Environment, 'name' | 'nexus'>;

/** @throws NexusRefusedError Forbidden. The words tell a stranger no more than that */
export function requireAllowed(
  { name, nexus }: Asked,
  operation: NexusOperation,
  caller: NexusCaller | undefined,
): asserts caller is NexusCaller {
  if (nexus === undefined) throw forbidden(`"${name}" takes no Nexus operations: its file says nothing of nexus.`);
  if (caller === undefined)
    throw forbidden(
      `Only workflows may ask "${name}" for operations: the engine does not say which workflow has asked for this one.`,
    );
  if (!nexus.callers.includes(caller.namespace))
    throw forbidden(`Workflows of the Temporal namespace "${caller.namespace}" may not ask "${name}" for operations.`);
  if (!nexus.operations.includes(operation))
    throw forbidden(
      `"${name}" does not take the operation ${operation}: its file allows ${nexus.operations.join(', ')}.`,
    );
}

/**
 * A protected environment is named on purpose, as with the commands' --confirm. The cluster's own protection is the
 * workers' affair: they ask again.
 * @throws NexusRefusedError NotConfirmed
 */
export function requireConfirmed(
  { name, protected: isProtected }: Pick<Environment, 'name' | 'protected'>,
  confirm: string | undefined,
): void {
  if (confirm !== undefined && confirm !== name)
    throw new NexusRefusedError(
      FAILURES.notConfirmed,
      `confirm says "${confirm}", and the environment is "${name}". Nothing was changed.`,
    );
  if (isProtected && confirm === undefined)
    throw new NexusRefusedError(
      FAILURES.notConfirmed,
      `"${name}" is a protected environment: give confirm: "${name}" with the request. Nothing was changed.`,
    );
}

/**
 * A gate with `notSelf` has to know which person has asked. For a workflow that is not known, so the gate would never
 * open.
 * @throws NexusRefusedError Forbidden, naming it
 */
export function requireOpenableGates({ name, approvals }: Pick<Environment, 'name' | 'approvals'>): void {
  const shut = approvals.find(
    ({ notSelf, operations, services, phases, autoApprove }) =>
      notSelf &&
      operations.includes('deploy') &&
      services === undefined &&
      phases === undefined &&
      autoApprove === undefined,
  );
  if (shut === undefined) return;
  throw forbidden(
    `Deployments of "${name}" wait at the gate ${shut.name}, where nobody may approve what they have asked for themselves (notSelf). A workflow is no person, so it could never open. Deploy with the command, or let the gate say notSelf: false.`,
  );
}

/** @throws NexusRefusedError Forbidden */
export function requireSource({ name, nexus }: Asked, from: string): void {
  if (from === name)
    throw new NexusRefusedError(FAILURES.invalidInput, `"${name}" is not promoted to itself: from names another one.`);
  if (nexus?.promoteFrom.includes(from)) return;
  throw forbidden(
    `Nothing is promoted from "${from}" to "${name}" for other teams: its file allows ${nexus?.promoteFrom.join(', ') ?? 'nothing'}.`,
  );
}

function forbidden(message: string): NexusRefusedError {
  return new NexusRefusedError(FAILURES.forbidden, message);
}
