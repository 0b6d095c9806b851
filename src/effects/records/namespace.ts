/** Where the deployer keeps its own records in the cluster: platform versions, accepted drift. */
import { type KubernetesClient, paths } from '../../clients/kubernetes/index.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, RECORDS_NAMESPACE } from '../../contract/names.ts';

/** Creates the namespace of the records when it is missing; one that is there is left as it is. */
export async function ensureRecordsNamespace(
  kubernetes: Pick<KubernetesClient, 'get' | 'apply'>,
  signal?: AbortSignal,
): Promise<void> {
  if (await kubernetes.get(paths.namespace(RECORDS_NAMESPACE), signal)) return;
  await kubernetes.apply(
    paths.namespace(RECORDS_NAMESPACE),
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: RECORDS_NAMESPACE,
        labels: { [MANAGED_BY_LABEL]: MANAGED_BY },
        annotations: { 'ananta.dev/purpose': 'Records of the deployer: platform versions, accepted drift' },
      },
    },
    {},
    signal,
  );
}
