/** One act of a rotation. Each begins with what Vault holds, and leads to the same end however often it is begun. */
import type { Clients } from '../../clients/index.ts';
import { type KvEntry, readKv, writeKv } from '../../clients/vault/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { nextUsername } from '../../plan/rotation/login.ts';
import { findRotatable, type Rotatable, secretText } from '../../plan/rotation/rotatable.ts';
import type { RotationValues, ServerAct } from '../../plan/rotation/scripts/index.ts';
import type { EffectScope } from '../effect.ts';
import { randomText } from '../vault/secrets/generate.ts';
import { syncRotated } from '../vault/secrets/sync-secrets.ts';
import { endRotation, keepRotation, type KeptRotation, readRotation, type RotationRecord } from './record.ts';
import { readersBehind } from './readers-behind.ts';
import { askServer } from './server.ts';

type Act = (context: Context) => Promise<{ changed: boolean; notes?: string[] }>;

interface Context {
  clients: Clients;
  secret: Rotatable;
  scope: EffectScope;
  signal: AbortSignal;
}

/** @throws RotationRefusedError, KvConflictError, DeployError */
export async function rotateSecret(
  clients: Clients,
  { act, secret: named }: InputOf<'rotateSecret'>,
  scope: EffectScope,
): OutputOf<'rotateSecret'> {
  const secret = findRotatable(clients.catalog, named);
  scope.doing(DOING[act]);
  const { changed, notes = [] } = await ACTS[act]({ clients, secret, scope, signal: scope.signal });
  return { changed, notes };
}

const DOING: Record<InputOf<'rotateSecret'>['act'], string> = {
  add: 'makes the next value known to the server',
  write: 'writes Vault and the Kubernetes Secrets',
  verify: 'looks whether every reader has the new value',
  revoke: 'has the former value refused',
};

/** The next value is in Vault before the server hears of it. */
const add: Act = async (context) => {
  const { secret } = context;
  const { record: kept, version, entry } = await known(context);
  const current = entry.data[secret.key] ?? '';
  const currentName = usernameIn(secret, entry);
  const goesOn = kept !== undefined && (current === kept.value || current === kept.former);
  const record: RotationRecord = goesOn
    ? kept
    : {
        state: 'added',
        since: new Date().toISOString(),
        value: randomText(secret.declared.format, secret.declared.length),
        former: current,
        username: nextUsername(secret.rotation.system, secret.username, currentName),
        formerUsername: currentName,
      };
  if (!goesOn)
    await context.clients.vault.asDeployer(
      (session) => keepRotation(session, secret, record, version, context.signal),
      context.signal,
    );
  const how = await ask(context, 'add', record);
  return {
    changed: true,
    ...(how === 'simulated'
      ? {
          notes: [
            `${secretText(secret)}: the pods of ${secret.rotation.server} are simulated, nothing was changed in them`,
          ],
        }
      : {}),
  };
};

const write: Act = async (context) => {
  const { clients, secret, signal } = context;
  const { record, version, entry } = await begun(context);
  const usernameKey = secret.rotation.username;
  if (entry.data[secret.key] !== record.value || entry.data[usernameKey] !== record.username)
    await clients.vault.asDeployer(
      (session) =>
        writeKv(
          session,
          secret.path,
          { ...entry.other, ...entry.data, [secret.key]: record.value, [usernameKey]: record.username },
          entry.version,
          signal,
        ),
      signal,
    );
  if (record.state !== 'written')
    await clients.vault.asDeployer(
      (session) => keepRotation(session, secret, { ...record, state: 'written' }, version, signal),
      signal,
    );
  await syncRotated(clients, secret.path, signal);
  return { changed: true };
};

const verify: Act = async (context) => {
  const { clients, secret, signal } = context;
  const { record } = await begun(context);
  const behind = await readersBehind(clients, secret, signal);
  if (behind.length > 0)
    throw new DeployError(
      FAILURES.checkFailed,
      `${secretText(secret)}: not every reader has the new value yet, so the former one stays good:\n${behind.map((line) => `  ${line}`).join('\n')}\nBring them up, then run "rotate" again: it goes on from here.`,
    );
  await ask(context, 'verify', record);
  return { changed: false };
};

const revoke: Act = async (context) => {
  const { clients, secret, signal } = context;
  const { record, version } = await known(context);
  // An attempt before this one has ended it.
  if (record === undefined) return { changed: true };
  await ask(context, 'revoke', record);
  await clients.vault.asDeployer(
    (session) => endRotation(session, secret, { version }, new Date().toISOString(), signal),
    signal,
  );
  return { changed: true };
};

const ACTS: Record<InputOf<'rotateSecret'>['act'], Act> = { add, write, verify, revoke };

interface Known extends KeptRotation {
  entry: KvEntry;
}

/** What Vault holds of the secret and of its rotation; unspeakable from now on. */
async function known({ clients, secret, signal }: Context): Promise<Known> {
  const [kept, entry] = await clients.vault.asDeployer(
    (session) => Promise.all([readRotation(session, secret, signal), readKv(session, secret.path, signal)]),
    signal,
  );
  clients.redactor.learn(kept.record?.value, kept.record?.former, entry?.data[secret.key]);
  if (entry?.data[secret.key] === undefined)
    throw new DeployError(
      FAILURES.secretLost,
      `Vault has no value for ${secretText(secret)}, so there is none to be replaced. A deployment brings it back where it still stands.`,
    );
  return { ...kept, entry };
}

/** @throws DeployError PlanOutdated where nothing was added, or somebody else has changed the value since */
async function begun(context: Context): Promise<Known & { record: RotationRecord }> {
  const found = await known(context);
  const { record, entry } = found;
  const current = entry.data[context.secret.key];
  if (record !== undefined && (current === record.value || current === record.former)) return { ...found, record };
  throw new DeployError(
    FAILURES.planOutdated,
    `${secretText(context.secret)}: ${record === undefined ? 'no rotation has been begun' : 'somebody has changed it in Vault since its rotation began'}. Run "rotate" again: it begins with what is there now.`,
  );
}

async function ask(
  { clients, secret, signal, scope }: Context,
  act: ServerAct,
  record: RotationRecord,
): Promise<'done' | 'simulated'> {
  const { admin } = secret.rotation;
  const entry = await clients.vault.asDeployer((session) => readKv(session, admin.path, signal), signal);
  const values: RotationValues = {
    admin: entry?.data[admin.key] ?? '',
    former: record.former,
    next: record.value,
    wrong: randomText('alphanumeric', 32),
  };
  scope.assertOurs();
  return askServer(
    clients,
    secret,
    act,
    { declared: secret.username, former: record.formerUsername, next: record.username },
    values,
    signal,
  );
}

function usernameIn({ rotation, username }: Rotatable, entry: KvEntry): string {
  return entry.data[rotation.username] ?? username;
}
