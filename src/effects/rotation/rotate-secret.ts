/** One act of a rotation. Each begins with what Vault holds, and leads to the same end however often it is begun. */
import type { Clients } from '../../clients/index.ts';
import { type KvEntry, readKv, writeKv } from '../../clients/vault/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { findService } from '../../plan/releases.ts';
import { administratorOf, nextUsername, restartsServer, usernameKeyOf } from '../../plan/rotation/login.ts';
import { findRotatable, type Rotatable, secretText } from '../../plan/rotation/rotatable.ts';
import type { RotationValues, ServerAct } from '../../plan/rotation/scripts/index.ts';
import { secretNameOf } from '../../plan/vault/kubernetes-secrets.ts';
import type { EffectScope } from '../effect.ts';
import { currentEnvironment } from '../environment.ts';
import { restartReaders } from '../release/restart.ts';
import { awaitHealthy } from '../wait/healthy.ts';
import { randomText } from '../vault/secrets/generate.ts';
import { syncRotated } from '../vault/secrets/sync-secrets.ts';
import {
  beginRotation,
  endRotation,
  keepRotation,
  type KeptRotation,
  readRotation,
  type RotationRecord,
  settleEnd,
} from './record.ts';
import { readersBehind } from './readers-behind.ts';
import { askServer } from './server.ts';

type Act = (context: Context) => Promise<{ changed: boolean; notes?: string[] }>;

interface Context {
  clients: Clients;
  run: InputOf<'rotateSecret'>['run'];
  secret: Rotatable;
  scope: EffectScope;
  signal: AbortSignal;
}

/** @throws RotationRefusedError, KvConflictError, DeployError */
export async function rotateSecret(
  clients: Clients,
  { run, act, secret: named }: InputOf<'rotateSecret'>,
  scope: EffectScope,
): OutputOf<'rotateSecret'> {
  const secret = findRotatable(clients.catalog, named);
  scope.doing(DOING[act]);
  const { changed, notes = [] } = await ACTS[act]({ clients, run, secret, scope, signal: scope.signal });
  return { changed, notes };
}

const DOING: Record<InputOf<'rotateSecret'>['act'], string> = {
  add: 'makes the next value known to the server',
  write: 'writes Vault and the Kubernetes Secrets',
  verify: 'looks whether every reader has the new value',
  revoke: 'has the former value refused',
};

/** The next value is in Vault before the server gets it. */
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
      (session) => beginRotation(session, secret, record, version, context.signal),
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
  const usernameKey = usernameKeyOf(secret.rotation);
  const wanted = {
    [secret.key]: record.value,
    ...(usernameKey === undefined ? {} : { [usernameKey]: record.username }),
  };
  // A server that has restarted since may have forgotten it.
  await ask(context, 'add', record);
  if (Object.entries(wanted).some(([name, value]) => entry.data[name] !== value))
    await clients.vault.asDeployer(
      (session) => writeKv(session, secret.path, { ...entry.other, ...entry.data, ...wanted }, entry.version, signal),
      signal,
    );
  if (record.state !== 'written')
    await clients.vault.asDeployer(
      (session) => keepRotation(session, secret, { ...record, state: 'written' }, version, signal),
      signal,
    );
  await syncRotated(clients, secret.path, record.since, signal);
  return { changed: true };
};

const verify: Act = async (context) => {
  const { clients, secret, signal } = context;
  const { record } = await settled(context);
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
  if ((await known(context)).record === undefined) {
    // An attempt before this one has ended it.
    await clients.vault.asDeployer((session) => settleEnd(session, secret, signal), signal);
    return { changed: true };
  }
  const { record, version } = await settled(context);
  if (restartsServer(secret.rotation)) await restartServer(context, record);
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

/** What Vault holds of the secret and of its rotation; the values are registered with the redactor. */
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

/** Readers have what Vault holds: while that is another value than the new one, the former one must stay good. */
async function settled(context: Context): Promise<Known & { record: RotationRecord }> {
  const found = await begun(context);
  const { record, entry } = found;
  if (entry.data[context.secret.key] === record.value && usernameIn(context.secret, entry) === record.username)
    return found;
  throw new DeployError(
    FAILURES.planOutdated,
    `${secretText(context.secret)}: Vault does not hold the new value (any more), so the former one stays good. Run "rotate" again: it goes on with the value that it has made.`,
  );
}

async function ask(
  { clients, secret, signal, scope }: Context,
  act: ServerAct,
  record: RotationRecord,
): Promise<'done' | 'simulated'> {
  const admin = await adminOf(clients, secret, signal);
  const values: RotationValues = {
    admin: admin.password,
    former: record.former,
    next: record.value,
    wrong: randomText('alphanumeric', 32),
  };
  await scope.assertOurs();
  return askServer(
    clients,
    secret,
    act,
    { declared: secret.username, former: record.formerUsername, next: record.username, admin: admin.name },
    values,
    signal,
  );
}

function usernameIn({ rotation, username }: Rotatable, entry: KvEntry): string {
  const key = usernameKeyOf(rotation);
  return key === undefined ? username : (entry.data[key] ?? username);
}

async function adminOf(
  { vault }: Pick<Clients, 'vault'>,
  secret: Rotatable,
  signal: AbortSignal,
): Promise<{ name: string; password: string }> {
  const administrator = administratorOf(secret);
  if (administrator === undefined) return { name: '', password: '' };
  const { path, key, usernameKey, fixedName } = administrator;
  const data = (await vault.asDeployer((session) => readKv(session, path, signal), signal))?.data ?? {};
  const name = usernameKey === undefined ? fixedName : data[usernameKey];
  const password = data[key];
  if (name && password) return { name, password };
  throw new DeployError(
    FAILURES.secretLost,
    `${secretText(secret)}: Vault has no value for ${secretText({ path, key: password ? (usernameKey ?? key) : key })}, by which the administrator of ${secret.rotation.server} logs in, so nothing can be changed there. A deployment brings it back where it still stands; else set it (npm run ananta -- secrets set), then run "rotate" again.`,
  );
}

/** Its own pods have the former value in their environment, and their probes would be refused with it. */
async function restartServer(context: Context, record: RotationRecord): Promise<void> {
  const { clients, secret, scope, signal, run } = context;
  await ask(context, 'verify', record);
  const { namespace, name, secrets, healthTimeoutSeconds } = findService(clients.catalog, secret.rotation.server);
  const restart = secrets
    .filter(({ path, delivery }) => path === secret.path && delivery === 'kubernetes')
    .map(secretNameOf);
  scope.doing(`restarts ${name}`);
  if (!(await restartReaders(clients, { namespace, name, restart }, signal))) return;
  const { healthTimeoutFactor } = await currentEnvironment(clients);
  const step = { kind: 'release', name, namespace, job: false, action: 'restart', reason: '', digest: '' } as const;
  const timeoutSeconds = healthTimeoutSeconds * healthTimeoutFactor;
  await awaitHealthy(clients, { run, service: name, step, timeoutSeconds }, scope);
}
