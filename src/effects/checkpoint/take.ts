/** A database dumped by its own tool, encrypted on its way into the environment's folder; then recorded. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { CheckpointRecord } from '../../contract/checkpoint.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { RECORDS_NAMESPACE } from '../../contract/names.ts';
import type { Environment } from '../../environment/schema.ts';
import { checkpointFileName, checkpointsToRemove } from '../../plan/checkpoint/checkpoints.ts';
import { dumpCommand } from '../../plan/checkpoint/scripts.ts';
import { writeEncrypted } from '../backup/archive.ts';
import { backupFolder, requireLasting } from '../backup/folder.ts';
import { counted, runningSum } from '../backup/sum.ts';
import type { EffectScope } from '../effect.ts';
import { currentEnvironment } from '../environment.ts';
import { checkpointName, keepCheckpoint, readCheckpoints } from './record.ts';
import { databaseServer, placeOf } from './server.ts';

/** Once a run: what is kept is the state before the first attempt of its migration. */
export async function takeCheckpoint(
  clients: Clients,
  { run, database, before }: InputOf<'takeCheckpoint'>,
  scope: EffectScope,
): OutputOf<'takeCheckpoint'> {
  scope.doing(`dumps ${database}`);

  const environment = await currentEnvironment(clients);
  const request = { database, before, run: run.runId, by: run.workflowId };
  const { file, dump, seconds } = await makeCheckpoint({ ...clients, environment }, request, scope.signal);
  return { seconds, ...(file === undefined ? {} : { file }), ...(dump === undefined ? {} : { bytes: dump.bytes }) };
}

export async function makeCheckpoint(
  clients: Clients,
  request: { database: string; before: string[]; run: string; by: string },
  signal: AbortSignal,
): Promise<CheckpointRecord> {
  const { kubernetes, environment, catalog } = clients;
  const place = placeOf(catalog, request.database);
  const { run, by, before } = request;
  const known = await readCheckpoints(kubernetes, environment.name, signal);
  const name = checkpointName({ environment: environment.name, run, ...place });
  const taken = known.find((one) => one.name === name);
  if (taken) return taken;
  const { folder, recipients, keep } = settingsOf(clients, environment);
  const at = new Date();
  const record = { environment: environment.name, at: at.toISOString(), run, by, ...place, before };
  const server = await databaseServer(clients, place, signal);
  const seconds = (): number => Math.round((Date.now() - at.getTime()) / 100) / 10;
  if (server === undefined) {
    const simulated = { ...record, seconds: seconds() };
    await keepCheckpoint(kubernetes, simulated, signal);
    return simulated;
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, checkpointFileName(environment.name, place, record.at, run));
  const dump = runningSum();
  const content = counted(server.stream(dumpCommand(place.database)), dump);
  const encrypted = await writeEncrypted(file, Readable.from(content, { objectMode: false }), { recipients, signal });
  const made = { ...record, file, encrypted, dump: dump.total(), seconds: seconds() };
  await keepCheckpoint(kubernetes, made, signal);
  await prune(clients, [{ ...made, name }, ...known], keep, signal);
  return made;
}

/** @throws DeployError where the environment has no place for it that lasts */
function settingsOf(
  { config }: Pick<Clients, 'config'>,
  environment: Environment,
): { folder: string; recipients: readonly string[]; keep: number } {
  const folder = backupFolder(environment, config.repoRoot);
  if (environment.backup === undefined || folder === undefined)
    throw new DeployError(
      FAILURES.invalidInput,
      `"${environment.name}" has no place for checkpoints: backup.recipients and backup.to say where they go.`,
    );
  requireLasting(folder, environment, config, 'checkpoint');
  return { folder, recipients: environment.backup.recipients, keep: environment.backup.keep };
}

async function prune(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  records: Awaited<ReturnType<typeof readCheckpoints>>,
  keep: number,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    checkpointsToRemove(records, keep).map(async ({ file, name }) => {
      // The file first: a record without one would look like a checkpoint.
      if (file !== undefined) await rm(file, { force: true });
      await kubernetes.remove(paths.configMap(RECORDS_NAMESPACE, name), {}, signal).catch(() => undefined);
    }),
  );
}
