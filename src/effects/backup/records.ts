/** The deployer's records of one environment in `ananta-system`, as they are kept and put back. */
import { z } from 'zod';
import { type KubernetesClient, type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import { type BackupRecordKind, type KeptObject, keptObjectSchema } from '../../contract/backup.ts';
import { OWNER_LABEL, RECORDS_NAMESPACE, RELEASE_LABELS } from '../../contract/names.ts';
import { OWNER_RECORD } from '../../contract/owner.ts';
import { CHECKPOINT_LABEL } from '../checkpoint/record.ts';
import { driftStateName } from '../drift/state.ts';
import { AUDIT_LABEL } from '../records/audit.ts';
import { VERSION_LABEL } from '../versions/store.ts';

export interface FoundRecord {
  kind: BackupRecordKind;
  object: KeptObject;
  uid: string;
  resourceVersion: string;
}

const objectSchema = z.looseObject({
  immutable: z.boolean().optional(),
  data: z.record(z.string(), z.string()).nullish(),
});

/** By name. What lies there of other environments, and messages that could not be delivered, are none of it. */
export async function readAllRecords(
  kubernetes: Pick<KubernetesClient, 'list'>,
  environment: string,
  signal?: AbortSignal,
): Promise<FoundRecord[]> {
  const { items } = await kubernetes.list(paths.configMaps(RECORDS_NAMESPACE), {}, signal);
  return items
    .flatMap((item): FoundRecord[] => {
      const kind = kindOf(item, environment);
      if (kind === undefined) return [];
      const { uid, resourceVersion } = item.metadata;
      return [{ kind, object: kept(item), uid, resourceVersion }];
    })
    .sort((a, b) => a.object.metadata.name.localeCompare(b.object.metadata.name, 'en', { numeric: true }));
}

/** @returns undefined for what is no record of this environment */
function kindOf({ metadata }: KubernetesObject, environment: string): BackupRecordKind | undefined {
  const labels = metadata.labels ?? {};
  if (metadata.name === OWNER_RECORD.name) return labels[OWNER_LABEL] === environment ? 'owner' : undefined;
  if (metadata.name === driftStateName(environment)) return 'drift';
  if (labels[RELEASE_LABELS.environment] !== environment) return undefined;
  if (labels[VERSION_LABEL] !== undefined) return 'version';
  if (labels[CHECKPOINT_LABEL] !== undefined) return 'checkpoint';
  return labels[AUDIT_LABEL] === undefined ? undefined : 'audit';
}

function kept(item: KubernetesObject): KeptObject {
  const { immutable, data } = objectSchema.parse(item);
  const { name, labels, annotations } = item.metadata;
  return keptObjectSchema.parse({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    ...(immutable === undefined ? {} : { immutable }),
    metadata: {
      name,
      namespace: RECORDS_NAMESPACE,
      labels: labels ?? {},
      ...(annotations === undefined ? {} : { annotations }),
    },
    data: data ?? {},
  });
}
