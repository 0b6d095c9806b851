import type { Clients } from '../../clients/index.ts';
import { historyOfKv, readKv, type VaultSession } from '../../clients/vault/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import type { RotateSelection } from '../../contract/operations/secret-name.ts';
import type { Environment } from '../../environment/schema.ts';
import { isOlder } from '../../plan/rotation/age.ts';
import { buildRotatePlan, type Rotating } from '../../plan/rotation/plan.ts';
import { type Rotatable, secretText } from '../../plan/rotation/rotatable.ts';
import { choosePossible } from '../../plan/rotation/possible.ts';
import { completed } from '../../plan/steps/complete.ts';
import { withVerdicts } from '../admission/policy.ts';
import type { EffectScope } from '../effect.ts';
import { currentEnvironment } from '../environment.ts';
import { allNewestRevisions } from '../release/revisions.ts';
import { validSince } from '../rotation/ages.ts';
import { readDates, readRotation, type RotationDates } from '../rotation/record.ts';
import { assertShown } from './binding.ts';

/** What is done to replace secrets by new values; changes nothing. */
export async function planRotate(
  clients: Clients,
  { expectedDigest, run: _run, ...selection }: InputOf<'planRotate'>,
  scope: EffectScope,
): OutputOf<'planRotate'> {
  scope.doing('plans the rotation');
  const plan = await rotatePlan(clients, await currentEnvironment(clients), selection, scope.signal);
  assertShown(expectedDigest, plan);
  return plan;
}

/**
 * Which secrets get a new value, and who is restarted for that.
 * @throws RotationRefusedError for what cannot be rotated; DeployError where Vault cannot be asked
 */
export async function rotatePlan(
  clients: Clients,
  environment: Environment,
  selection: RotateSelection,
  signal: AbortSignal,
): Promise<OperationPlan> {
  const { catalog } = clients;
  const chosen = choosePossible(catalog, environment, selection);
  const { state, detail } = await clients.vault.state(signal);
  if (state !== 'open' && state !== 'sealed')
    throw new DeployError(
      FAILURES.dependencyMissing,
      `Nothing can be rotated while Vault is not there: ${detail}. A deployment brings it up. Nothing was changed.`,
    );
  const [revisions, found] = await Promise.all([
    allNewestRevisions(clients.kubernetes, signal),
    clients.vault.asDeployer(async (session) => {
      const dates = await readDates(session, signal);
      return Promise.all(chosen.rotatable.map((secret) => lookAt(session, secret, dates(secret), signal)));
    }, signal),
  ]);
  const now = Date.now();
  const { olderThanSeconds } = selection;
  const secrets = found.filter(
    ({ resumes, since }) => resumes || olderThanSeconds === undefined || isOlder(since, now, olderThanSeconds),
  );
  const plan = buildRotatePlan({ catalog, environment, secrets, revisions, notes: chosen.left });
  const intent = {
    verb: 'rotate' as const,
    secrets: secrets.map(({ path, key, rotation }) => ({ path, key, server: rotation.server })),
  };
  return withVerdicts(completed(plan, intent, environment), catalog, environment);
}

type Looked = Rotating & {
  /** ISO 8601: since when its value is good; undefined where nobody knows. */
  since: string | undefined;
};

async function lookAt(
  session: VaultSession,
  secret: Rotatable,
  { ended }: RotationDates,
  signal: AbortSignal,
): Promise<Looked> {
  const [{ record }, entry, history] = await Promise.all([
    readRotation(session, secret, signal),
    readKv(session, secret.path, signal),
    historyOfKv(session, secret.path, signal),
  ]);
  if (entry?.data[secret.key] === undefined)
    throw new DeployError(
      FAILURES.secretLost,
      `Vault has no value for ${secretText(secret)}, so there is none to be replaced. A deployment brings it back where it still stands. Nothing was changed.`,
    );
  return {
    ...secret,
    version: entry.version,
    resumes: record !== undefined,
    since: validSince(ended, history),
  };
}
