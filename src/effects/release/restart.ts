/**
 * Pods that have started before the value of a Secret that they read changed are replaced, as `kubectl rollout restart`
 * does.
 */
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import { SECRETS_CHANGED_ANNOTATION } from '../../contract/names.ts';
import type { PlannedStep } from '../../contract/operations/plan.ts';
import { valueAtPath } from '../../plan/fields/path.ts';
import { readsSince } from '../../plan/vault/secret-readers.ts';
import { readPods, readWorkloads } from '../observe/workloads.ts';

const PATH_OF = {
  Deployment: paths.deployments,
  StatefulSet: paths.statefulSets,
  DaemonSet: paths.daemonSets,
} as const;

/**
 * Pods that are younger than the change stay: so an attempt that was interrupted, or a later run, does what is left.
 * @returns whether anything was restarted
 */
export async function restartReaders(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  { namespace, name, restart = [] }: Pick<PlannedStep, 'namespace' | 'name' | 'restart'>,
  signal?: AbortSignal,
): Promise<boolean> {
  if (restart.length === 0) return false;
  const secrets = await Promise.all(restart.map((secret) => kubernetes.get(paths.secret(namespace, secret), signal)));
  const changedAt = secrets
    .flatMap((secret) => secret?.metadata.annotations?.[SECRETS_CHANGED_ANNOTATION] ?? [])
    .sort()
    .at(-1);
  if (changedAt === undefined) return false;
  const release = { namespace, name };
  const workloads = await readWorkloads(kubernetes, release, signal);
  const pods = await readPods(kubernetes, release, workloads, signal);
  const old = pods.some(
    ({ metadata }) => !metadata.deletionTimestamp && (readsSince(metadata) ?? changedAt) <= changedAt,
  );
  if (!old) return false;
  const place = ['spec', 'template', 'metadata', 'annotations', SECRETS_CHANGED_ANNOTATION];
  let restarted = false;
  for (const { kind, name: workload, object } of workloads) {
    // One that is being replaced already is waited for.
    if (kind === 'Job' || valueAtPath(object, place) === changedAt) continue;
    await kubernetes.apply(
      `${PATH_OF[kind](namespace)}/${workload}`,
      {
        apiVersion: 'apps/v1',
        kind,
        metadata: { name: workload, namespace },
        spec: { template: { metadata: { annotations: { [SECRETS_CHANGED_ANNOTATION]: changedAt } } } },
      },
      { force: true },
      signal,
    );
    restarted = true;
  }
  return restarted;
}
