/** The places that an environment's file names for its backups and its checkpoints. */
import { relative, resolve } from 'node:path';
import type { Clients } from '../../../clients/index.ts';
import { type Bucket, openBucket } from '../../../clients/s3/index.ts';
import { DeployError } from '../../../contract/errors.ts';
import { FAILURES } from '../../../contract/failures.ts';
import { bucketAddress, type BucketSettings } from '../../../environment/fields/backup/bucket.ts';
import type { ValueReference } from '../../../environment/fields/formats/reference.ts';
import type { Environment } from '../../../environment/schema.ts';
import { placeSettings } from '../../../plan/backup/places.ts';
import { type Resolving, resolveReference } from '../../notify/resolve.ts';
import { bucketPlace, bucketSource, parseLocation } from './bucket.ts';
import { folderPlace, localKeeper } from './folder.ts';
import { type KeptSource, sourceOf } from './source.ts';
import type { BackupPlace } from './types.ts';

export { folderPlace } from './folder.ts';
export { type BackupPlace, type KeptFile, LEFT_MILLISECONDS } from './types.ts';

type Placing = Resolving & Pick<Clients, 'environment'>;

/**
 * Asks nobody yet.
 * @returns undefined where the environment names none
 * @throws DeployError where what is written there would go with this worker's pod
 */
export function placeFor(clients: Placing, what: 'backup' | 'checkpoint'): BackupPlace | undefined {
  const { environment, config } = clients;
  const found = placeSettings(environment, what);
  if (found === undefined) return undefined;
  const { to, field } = found;
  if (typeof to === 'object')
    return bucketPlace(
      to,
      once((signal) => openStore(clients, to, field, signal)),
    );
  const folder = resolve(config.repoRoot, to);
  if (config.pod !== undefined && !isMounted(environment, folder))
    throw new DeployError(
      FAILURES.invalidInput,
      `A ${what} in ${folder} would go with this worker's pod: name the claim that it shall have there (backup.claim), then install again.`,
    );
  return folderPlace(folder, localKeeper(environment, config));
}

/**
 * @param location a path, or `s3://BUCKET/KEY` in a bucket that the environment's file names
 * @throws DeployError for another bucket
 */
export function keptAt(clients: Placing, location: string, signal?: AbortSignal): KeptSource {
  const found = parseLocation(location);
  if (found === undefined) return sourceOf(location);
  const named = (['checkpoint', 'backup'] as const)
    .flatMap((what) => placeSettings(clients.environment, what) ?? [])
    .find(({ to }) => typeof to === 'object' && to.bucket === found.bucket);
  if (named === undefined || typeof named.to === 'string')
    throw new DeployError(
      FAILURES.invalidInput,
      `${location} lies in a bucket that "${clients.environment.name}" names neither in backup.to nor in checkpoints.to: name it there, or fetch the object and name the file.`,
    );
  const { to, field } = named;
  return bucketSource(
    location,
    found.key,
    once(() => openStore(clients, to, field, signal)),
    signal,
  );
}

/** Below the claim that workers in the cluster have. */
function isMounted({ backup }: Pick<Environment, 'backup'>, folder: string): boolean {
  if (backup?.claim === undefined || typeof backup.to !== 'string') return false;
  return !relative(backup.to, folder).startsWith('..');
}

async function openStore(
  clients: Placing,
  settings: BucketSettings,
  field: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<Bucket> {
  const { bucket, region, encryption, credentials } = settings;
  const read = async (name: keyof typeof credentials, reference: ValueReference): Promise<string> => {
    const inCluster = 'secret' in reference || 'vault' in reference;
    const clusterUid = inCluster ? await clients.kubernetes.clusterUid(signal) : '';
    return resolveReference(clients, { reference, field: `${field}.credentials.${name}`, clusterUid }, signal);
  };
  const { sessionToken } = credentials;
  return openBucket({
    ...bucketAddress(settings),
    bucket,
    region,
    encryption,
    accessKey: await read('accessKey', credentials.accessKey),
    secretKey: await read('secretKey', credentials.secretKey),
    ...(sessionToken === undefined ? {} : { sessionToken: await read('sessionToken', sessionToken) }),
  });
}

/** One that failed is tried anew. */
function once<T>(make: (signal?: AbortSignal) => Promise<T>): (signal?: AbortSignal) => Promise<T> {
  let made: Promise<T> | undefined;
  return (signal) => {
    made ??= make(signal).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
