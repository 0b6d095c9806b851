/** A database dumped by its own tool, encrypted on its way into the environment's place for it; then recorded. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { CheckpointRecord } from '../../contract/checkpoint.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { checkpointsKept } from '../../plan/backup/places.ts';
import { checkpointFileName, kindOf } from '../../plan/checkpoint/checkpoints.ts';
import { dumpCommand } from '../../plan/checkpoint/scripts.ts';
import { writeEncrypted } from '../backup/archive.ts';
import { type BackupPlace, placeFor } from '../backup/place/index.ts';
import { counted, runningSum, type Sum } from '../backup/sum.ts';
import type { EffectScope } from '../effect.ts';
import { currentEnvironment } from '../environment.ts';
import { beginAttempt, endAttempt } from './attempt.ts';
import { pruneCheckpoints } from './prune.ts';
import { checkpointName, keepCheckpoint, readCheckpoints } from './record.ts';
import { databaseServer, placeOf } from './server.ts';
import { takeSnapshots } from './snapshot.ts';

/** For a place that may be what has failed, or for whoever has given up. */
const LEAVE_MILLISECONDS = 15_000;

/** Once a run: what is kept is the state before the first attempt of its migration. */
export async function takeCheckpoint(
  clients: Clients,
  { run, database, before }: InputOf<'takeCheckpoint'>,
  scope: EffectScope,
): OutputOf<'takeCheckpoint'> {
  scope.doing(`dumps ${database}`);

  const environment = await currentEnvironment(clients);
  const request = { database, before, run: run.runId, by: run.workflowId };
  const { file, dump, seconds, left, snapshots } = await makeCheckpoint({ ...clients, environment }, request, scope);
  return {
    seconds,
    ...(file === undefined ? {} : { file }),
    ...(snapshots === undefined ? {} : { snapshots: snapshots.map(({ namespace, name }) => `${namespace}/${name}`) }),
    ...(dump === undefined ? {} : { bytes: dump.bytes }),
    ...(left === undefined ? {} : { left }),
  };
}

export interface CheckpointDone extends CheckpointRecord {
  /** Why older ones that were to go are still there. */
  left?: string;
}

export async function makeCheckpoint(
  clients: Clients,
  request: { database: string; before: string[]; run: string; by: string },
  scope: Pick<EffectScope, 'signal' | 'doing'>,
): Promise<CheckpointDone> {
  const { signal } = scope;
  const { kubernetes, environment, catalog } = clients;
  const of = placeOf(catalog, request.database);
  const { run, by, before } = request;
  const known = await readCheckpoints(kubernetes, environment.name, signal);
  const name = checkpointName({ environment: environment.name, run, ...of });
  const taken = known.find((one) => one.name === name);
  if (taken) return taken;
  const settings = kindOf(catalog, request.database) === 'postgres' ? settingsOf(clients) : undefined;
  const at = new Date();
  const record = { environment: environment.name, at: at.toISOString(), run, by, ...of, before };
  const server = await databaseServer(clients, of, signal);
  const seconds = (): number => Math.round((Date.now() - at.getTime()) / 100) / 10;
  if (server === undefined) {
    const simulated = { ...record, seconds: seconds() };
    await keepCheckpoint(kubernetes, simulated, signal);
    return simulated;
  }
  if (settings === undefined) {
    const className = environment.checkpoints?.snapshotClass;
    const snapshots = await takeSnapshots(clients, { checkpoint: name, server: of.server, className }, scope);
    const made = { ...record, snapshots, seconds: seconds() };
    await keepCheckpoint(kubernetes, made, signal);
    const all = await readCheckpoints(kubernetes, environment.name, signal);
    const left = await pruneCheckpoints(clients, undefined, { known: all, keep: checkpointsKept(environment) }, signal);
    return { ...made, ...(left === undefined ? {} : { left }) };
  }
  const { place, recipients, keep } = settings;
  // Each attempt has a file of its own: one that was cut off may still be at work on its.
  const id = randomUUID().slice(0, 8);
  const fileName = checkpointFileName(environment.name, of, record.at, id);
  const [file, { keeper }] = [place.locationOf(fileName), place];
  const attempt = await beginAttempt(kubernetes, id, { environment: environment.name, at: record.at, file, keeper });
  const dump = runningSum();
  const content = (): Readable =>
    Readable.from(counted(server.stream(dumpCommand(of.database)), dump), { objectMode: false });
  const written = { place, name: fileName, recipients, signal };
  let encrypted: Sum;
  try {
    encrypted = await writeEncrypted(written, content);
  } catch (error) {
    await leaveNothing(kubernetes, place, fileName, attempt);
    throw error;
  }
  const made = { ...record, file, keeper, encrypted, dump: dump.total(), seconds: seconds() };
  const kept = await keepCheckpoint(kubernetes, made, signal);
  // Another attempt of the same run was faster.
  if (!kept) await place.remove(fileName, signal);
  await endAttempt(kubernetes, attempt, signal);
  const now = await readCheckpoints(kubernetes, environment.name, signal);
  const left = await pruneCheckpoints(clients, place, { known: now, keep }, signal);
  return { ...(kept ? made : (now.find((one) => one.name === name) ?? made)), ...(left === undefined ? {} : { left }) };
}

/**
 * It may have failed after the last byte, with the file in its place: as long as that is not gone for certain, the
 * attempt stays on record, by which it is found later.
 */
async function leaveNothing(
  kubernetes: Clients['kubernetes'],
  place: BackupPlace,
  fileName: string,
  attempt: string,
): Promise<void> {
  try {
    await place.remove(fileName, AbortSignal.timeout(LEAVE_MILLISECONDS));
  } catch {
    return;
  }
  await endAttempt(kubernetes, attempt);
}

/** @throws DeployError where the environment has no place for it that lasts */
function settingsOf(clients: Clients): {
  place: BackupPlace;
  recipients: readonly string[];
  keep: number;
} {
  const { environment } = clients;
  const { name, backup } = environment;
  const place = placeFor(clients, 'checkpoint');
  if (backup === undefined || place === undefined)
    throw new DeployError(
      FAILURES.invalidInput,
      `"${name}" has no place for checkpoints: backup.recipients and checkpoints.to, or backup.to, say where they go.`,
    );
  return { place, recipients: backup.recipients, keep: checkpointsKept(environment) };
}
