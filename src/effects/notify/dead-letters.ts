/**
 * Notifications that could not be delivered: a ConfigMap each beside the platform versions, so that it outlives worker
 * and engine. The oldest go when there are too many, and all when they are too old for anybody to care.
 */
import { type KubernetesClient, KubernetesError, paths } from '../../clients/kubernetes/index.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, RECORDS_NAMESPACE, RELEASE_LABELS } from '../../contract/names.ts';
import { type DeadLetter, deadLetterSchema } from '../../contract/notifications.ts';
import { digestOf } from '../../plan/digest.ts';
import { readOwner } from '../owner/record.ts';
import { listRecords, readRecords, type RecordKind, removeRecords, timeLabel, timeOf } from '../records/store.ts';

/** Of an environment: a few kB each. */
export const DEAD_LETTERS_KEPT = 100;
export const DEAD_LETTER_DAYS = 30;
/** Its time is when it was given up. */
const DEAD_LETTER: RecordKind<DeadLetter> = {
  label: 'ananta-dead-letter',
  key: 'letter',
  schema: deadLetterSchema,
};
const ATTEMPTS = 5;

export interface StoredLetter {
  letter: DeadLetter;
  name: string;
  uid: string;
}

/** @returns the same for the same notification and target */
export function letterId(notification: string, target: string): string {
  return digestOf([notification, target]).slice(0, 8);
}

/**
 * One that is there already is written over: it was tried once more.
 * @returns false on a cluster that is not the environment's: nothing is left there
 */
export async function keepDeadLetter(
  kubernetes: Pick<KubernetesClient, 'get' | 'list' | 'create' | 'replace' | 'remove'>,
  letter: DeadLetter,
  { kept = DEAD_LETTERS_KEPT, now = Date.now(), signal }: { kept?: number; now?: number; signal?: AbortSignal } = {},
): Promise<boolean> {
  if ((await readOwner(kubernetes, signal))?.owner?.environment !== letter.environment) return false;
  await write(kubernetes, letter, signal);
  const all = await listRecords(kubernetes, DEAD_LETTER, letter.environment, signal);
  const outdated = timeLabel(new Date(now - DEAD_LETTER_DAYS * 86_400_000).toISOString());
  const old = all.filter((item, index) => index >= kept || timeOf(item, DEAD_LETTER) < outdated);
  await removeRecords(kubernetes, old, signal);
  return true;
}

/** Of one environment, the newest first; one that is damaged is left out. */
export async function readDeadLetters(
  kubernetes: Pick<KubernetesClient, 'list'>,
  environment: string,
  signal?: AbortSignal,
): Promise<StoredLetter[]> {
  const stored = await readRecords(kubernetes, DEAD_LETTER, environment, signal);
  return stored.map(({ record, ...place }) => ({ letter: record, ...place }));
}

/** One that was written since is left. */
export async function removeDeadLetter(
  kubernetes: Pick<KubernetesClient, 'remove'>,
  { name, uid }: Pick<StoredLetter, 'name' | 'uid'>,
  signal?: AbortSignal,
): Promise<void> {
  await kubernetes.remove(paths.configMap(RECORDS_NAMESPACE, name), { uid }, signal);
}

async function write(
  kubernetes: Pick<KubernetesClient, 'get' | 'create' | 'replace'>,
  letter: DeadLetter,
  signal?: AbortSignal,
): Promise<void> {
  const path = paths.configMap(RECORDS_NAMESPACE, letterName(letter));
  for (let attempt = 1; ; attempt += 1) {
    const found = await kubernetes.get(path, signal);
    try {
      if (found) await kubernetes.replace(path, asConfigMap(letter, found.metadata.resourceVersion), signal);
      else await kubernetes.create(paths.configMaps(RECORDS_NAMESPACE), asConfigMap(letter), signal);
      return;
    } catch (error) {
      // Made, written or removed by somebody else meanwhile.
      if (!(error instanceof KubernetesError) || ![404, 409].includes(error.status) || attempt >= ATTEMPTS) throw error;
    }
  }
}

function asConfigMap(letter: DeadLetter, resourceVersion?: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: letterName(letter),
      namespace: RECORDS_NAMESPACE,
      labels: {
        [MANAGED_BY_LABEL]: MANAGED_BY,
        [RELEASE_LABELS.environment]: letter.environment,
        [DEAD_LETTER.label]: timeLabel(letter.at),
      },
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    data: { [DEAD_LETTER.key]: JSON.stringify(letter) },
  };
}

export function letterName({ environment, id }: Pick<DeadLetter, 'environment' | 'id'>): string {
  return `dead-letter-${environment}-${id}`;
}
