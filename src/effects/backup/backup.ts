/** One backup of the deployer: records and the snapshot of Vault in one encrypted file. Changes nothing else. */
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Clients } from '../../clients/index.ts';
import { type BackupManifest, type BackupPart, BACKUP_PARTS } from '../../contract/backup.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { platformName } from '../../environment/platform-folder.ts';
import { backupFileName } from '../../plan/backup/names.ts';
import { MANIFEST, recordPath, SHARES, snapshotEntries, writeArchive } from './archive.ts';
import { type BackupPlace, folderPlace } from './place/index.ts';
import { readAllRecords } from './records.ts';
import { counted, runningSum, type Sum, sumOf } from './sum.ts';
import type { WrittenEntry } from './tar.ts';
import { takeSnapshot, untilNobodyWrites } from './vault.ts';

export interface BackupRequest {
  recipients: readonly string[];
  /** A place; or a file, or a folder that is there or ends with a slash. */
  to: string | BackupPlace;
  /** Both where absent. */
  only?: BackupPart | undefined;
  by: string;
  /** When it was wanted: a second attempt writes the same file. */
  at: Date;
}

export interface BackupDone extends Sum {
  path: string;
  manifest: BackupManifest;
}

/** @throws DeployError where Vault is sealed, is run by others, or gives out no snapshot */
export async function makeBackup(
  clients: Clients,
  { recipients, to, only, by, at }: BackupRequest,
  signal?: AbortSignal,
): Promise<BackupDone> {
  const { kubernetes, environment } = clients;
  const { external } = environment.vault;
  if (only === 'vault' && external !== undefined)
    throw new DeployError(
      FAILURES.invalidInput,
      `The Vault at ${external.address} is run by others (vault.external): they back it up.`,
    );
  const { place, name } = await fileOf(to, environment.name, at);
  return untilNobodyWrites(async () => {
    const cluster = await kubernetes.identity(signal);
    const manifest: BackupManifest = {
      format: 'ananta-backup/1',
      environment: environment.name,
      platform: platformName(environment),
      cluster: { uid: cluster.uid, ...(cluster.authority === undefined ? {} : { authority: cluster.authority }) },
      at: at.toISOString(),
      by,
      leftOut: Object.fromEntries(
        BACKUP_PARTS.flatMap((part): [BackupPart, string][] =>
          part === 'vault' && external !== undefined
            ? [[part, `it is run by others (${external.address})`]]
            : only !== undefined && part !== only
              ? [[part, `--part ${only}`]]
              : [],
        ),
      ),
    };
    const file = { place, name, recipients, signal };
    const sum = await writeArchive(file, entriesOf(clients, manifest, signal), at);
    return { path: place.locationOf(name), ...sum, manifest };
  });
}

/** All parts but those that the manifest leaves out. It is filled on the way, and comes last. */
async function* entriesOf(
  clients: Clients,
  manifest: BackupManifest,
  signal?: AbortSignal,
): AsyncGenerator<WrittenEntry> {
  if (manifest.leftOut.records === undefined) {
    const found = await readAllRecords(clients.kubernetes, manifest.environment, signal);
    manifest.records = [];
    for (const { kind, object } of found) {
      const text = JSON.stringify(object);
      manifest.records.push({ kind, name: object.metadata.name, ...sumOf(text) });
      yield { path: recordPath(object.metadata.name), content: Buffer.from(text) };
    }
  }
  if (manifest.leftOut.vault === undefined) {
    const { content, about } = await takeSnapshot(clients, signal);
    const snapshot = runningSum();
    yield* snapshotEntries(counted(content, snapshot));
    manifest.vault = { ...(await about()), snapshot: snapshot.total() };
    const keys = await clients.vault.keys.read();
    // Shares that only their owners can read are no secret; all others stay where they are.
    if (keys?.encryptedFor !== undefined) {
      const { rootToken: _secret, ...shares } = keys;
      yield { path: SHARES, content: Buffer.from(JSON.stringify(shares)) };
    }
  }
  yield { path: MANIFEST, content: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) };
}

async function fileOf(
  to: BackupRequest['to'],
  environment: string,
  at: Date,
): Promise<{ place: BackupPlace; name: string }> {
  const name = backupFileName(environment, at);
  if (typeof to !== 'string') return { place: to, name };
  const isFolder =
    to.endsWith('/') ||
    (await stat(to).then(
      (found) => found.isDirectory(),
      () => false,
    ));
  return isFolder ? { place: folderPlace(to), name } : { place: folderPlace(dirname(to)), name: basename(to) };
}
