/** `ananta rbac show` and `ananta rbac apply`. */
import { namespaceLabels } from '../../effects/namespaces.ts';
import type { Catalog } from '../../catalog/schema.ts';
import { isNotFound, KubernetesError, type KubernetesClient, paths } from '../../clients/kubernetes/index.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import {
  IN_CLUSTER,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  NAMESPACE_CREATED_ANNOTATION,
  RECORDS_NAMESPACE,
} from '../../contract/names.ts';
import { IDENTITIES, type IdentityName, identityOf } from '../../plan/access/identities.ts';
import { type AccessObject, accessObjects } from '../../plan/access/manifests.ts';
import { kubernetesText } from '../../plan/inputs/kubernetes-yaml.ts';
import { withLiveClients } from '../shared/clients.ts';
import type { RbacOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { type Prepared, preflight } from '../deploy/preflight.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine, count } from '../shared/format.ts';
import { acquireHelm } from '../shared/components/helm-binary.ts';
import { printLines } from '../shared/terminal.ts';
import { accessBasis } from './rendered.ts';

export async function showAccess(context: CliContext, options: RbacOptions): Promise<ExitCode> {
  const objects = (await wantedAccess(context, await preflight(context, options.env), options.identity)).map(
    ({ object }) => object,
  );
  if (options.json)
    printLines(context.terminal.stdout, [JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })]);
  else context.terminal.stdout.write(objects.map((object) => `---\n${kubernetesText(object)}`).join(''));
  return EXIT_CODES.done;
}

export async function applyAccess(context: CliContext, options: RbacOptions): Promise<ExitCode> {
  const prepared = await preflight(context, options.env);
  const objects = await wantedAccess(context, prepared, options.identity);
  const changed = await withLiveClients(context, prepared.environment, async ({ kubernetes }, signal) => {
    try {
      return await applyObjects(kubernetes, prepared.catalog, objects, signal);
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.status !== 403) throw error;
      throw refused(
        `The identity that you use on ${kubernetes.server} may not hand out rights: ${error.message}`,
        'Use a kubeconfig of somebody who administers this cluster, or of the identity "installer"',
        `${commandLine('rbac', 'show', '--env', options.env)} > access.yaml   (for somebody who does)`,
      );
    }
  });
  const { terminal } = context;
  if (options.json)
    printLines(terminal.stdout, [JSON.stringify({ environment: options.env, objects: objects.length, changed })]);
  else
    printLines(terminal.stdout, [
      ...changed.map((name) => `✔ ${name}`),
      changed.length === 0
        ? `All ${count(objects.length, 'object', 'objects')} are as wanted.`
        : `${count(changed.length, 'object', 'objects')} made or changed, namespaces included; ${objects.length} are wanted.`,
    ]);
  return EXIT_CODES.done;
}

/** The objects of one identity, or of all. */
export async function wantedAccess(
  { config, terminal }: CliContext,
  prepared: Prepared,
  identity: IdentityName | undefined,
): Promise<AccessObject[]> {
  const basis = await accessBasis(prepared, await acquireHelm(config), config, (text) =>
    terminal.stderr.write(`${text}\n`),
  );
  return (identity === undefined ? IDENTITIES : [identity]).flatMap((name) => accessObjects(identityOf(name, basis)));
}

/**
 * Server-side apply; the namespaces that roles need come first. @returns `Kind namespace/name` of what was made or
 * changed
 */
export async function applyObjects(
  kubernetes: Pick<KubernetesClient, 'get' | 'apply'>,
  { namespaces }: Pick<Catalog, 'namespaces'>,
  objects: readonly AccessObject[],
  signal?: AbortSignal,
): Promise<string[]> {
  const changed: string[] = [];
  const put = async (path: string, object: unknown, name: string, force: boolean): Promise<void> => {
    const before = await kubernetes.get(path, signal);
    const after = await kubernetes.apply(path, object, { force }, signal);
    if (before?.metadata.resourceVersion !== after.metadata.resourceVersion) changed.push(name);
  };
  const used = new Set(objects.flatMap(({ object: { metadata } }) => metadata.namespace ?? []));
  for (const name of used) {
    const namespace = namespaces.find((candidate) => candidate.name === name);
    // Only what is missing is made: how a namespace has to be is the deployment's business.
    if (await exists(kubernetes, name, signal)) continue;
    const own = [RECORDS_NAMESPACE, IN_CLUSTER.namespace].includes(name);
    const restricted = {
      [MANAGED_BY_LABEL]: MANAGED_BY,
      ...(name === IN_CLUSTER.namespace
        ? { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' }
        : {}),
    };
    await put(
      paths.namespace(name),
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: {
          name,
          labels: namespace === undefined ? restricted : namespaceLabels(namespace),
          // As a deployment would have made it: so `destroy` may take it away.
          ...(own
            ? {}
            : {
                annotations: { 'ananta.dev/purpose': namespace?.purpose ?? '', [NAMESPACE_CREATED_ANNOTATION]: 'true' },
              }),
        },
      },
      `Namespace ${name}`,
      false,
    );
  }
  for (const { path, object } of objects) {
    const {
      kind,
      metadata: { name, namespace },
    } = object;
    await put(path, object, `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`, true);
  }
  return changed;
}

async function exists(kubernetes: Pick<KubernetesClient, 'get'>, name: string, signal?: AbortSignal): Promise<boolean> {
  try {
    const found = await kubernetes.get(paths.namespace(name), signal);
    return found !== undefined && !found.metadata.deletionTimestamp;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
