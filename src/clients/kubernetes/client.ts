/** The cluster as activities use it: few verbs over any kind, shared watches, ports and commands of pods. */
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { clusterDifference, type ClusterIdentity } from '../../contract/cluster.ts';
import { MANAGED_BY } from '../../contract/names.ts';
import type { Connections } from '../../environment/connections.ts';
import { type AccessQuestion, isAccountAllowed, isAllowed } from './access-review.ts';
import { ask } from './ask.ts';
import { ClusterMismatchError, isNotFound } from './errors.ts';
import { clusterIdentity } from './identity.ts';
import { type Kinds, readKinds } from './kinds.ts';
import { loadKubeconfig } from './kubeconfig/kubeconfig.ts';
import { type KubernetesList, type KubernetesObject, listSchema, objectSchema } from './objects.ts';
import { createExecLogin } from './kubeconfig/login.ts';
import {
  connectToPod,
  execInPod,
  type ExecResult,
  type PodAddress,
  type RunningExec,
  streamFromPod,
} from './sockets.ts';
import { scopedList } from './scope.ts';
import { followLog } from './pod-log.ts';
import { createTransport } from './transport.ts';
import { createWatches, type Watches } from './watches.ts';

export interface ListOptions {
  labelSelector?: string;
  fieldSelector?: string;
  /** Names, labels and annotations only: what Secrets hold is never even read. */
  metadataOnly?: boolean;
  limit?: number;
}

export interface JsonPatchOperation {
  op: 'test' | 'remove' | 'add' | 'replace';
  /** RFC 6901. */
  path: string;
  value?: unknown;
}

/** One rule of a role, as Kubernetes has it. */
export interface GrantedRule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

const versionSchema = z.object({ gitVersion: z.string() });

export interface KubernetesClient {
  /** Address of the API server. */
  server: string;
  watches: Watches;
  /** uid of the kube-system namespace: the identity of the cluster. */
  clusterUid(signal?: AbortSignal): Promise<string>;
  /** With its authority: what an environment is bound to. */
  identity(signal?: AbortSignal): Promise<ClusterIdentity>;
  /** @throws ClusterMismatchError when the cluster is another one */
  assertCluster(wanted: ClusterIdentity, signal?: AbortSignal): Promise<void>;
  /**
   * Milliseconds of the epoch by the clock that stamps objects, as its last answer told: how old something is must not
   * be judged by another.
   */
  serverTime(): number;
  /** Of the API server: `v1.35.0`. */
  version(signal?: AbortSignal): Promise<string>;
  /** What the API server serves right now. */
  kinds(signal?: AbortSignal): Promise<Kinds>;
  /** @returns undefined when there is no such object */
  get(path: string, signal?: AbortSignal): Promise<KubernetesObject | undefined>;
  /** All of a kind in the cluster; where that is not allowed, those of the client's namespaces. */
  list(path: string, options?: ListOptions, signal?: AbortSignal): Promise<KubernetesList>;
  /**
   * Server-side apply of one object under our own field manager.
   * @param force takes fields over that another manager owns
   */
  apply(
    path: string,
    object: unknown,
    options?: { force?: boolean; manager?: string },
    signal?: AbortSignal,
  ): Promise<KubernetesObject>;
  /**
   * @throws KubernetesError with reason AlreadyExists when an object of that name is there. @param path of the
   * collection
   */
  create(path: string, object: unknown, signal?: AbortSignal): Promise<KubernetesObject>;
  /** The whole object anew. @throws KubernetesError 409 when it is no longer at the resourceVersion that it carries */
  replace(path: string, object: unknown, signal?: AbortSignal): Promise<KubernetesObject>;
  /**
   * What the API server would make of an object: a server-side apply that is not carried out.
   * @param manager in whose name: fields that it set before and that are not there any more go away
   * @throws KubernetesError, its `causes` naming the fields that stand in the way
   */
  dryRun(
    path: string,
    object: unknown,
    options: { manager: string; force?: boolean },
    signal?: AbortSignal,
  ): Promise<KubernetesObject>;
  /**
   * Changes single fields (RFC 6902), each after a test of what is there.
   * @throws KubernetesError 422 when a test does not hold, 409 when the object was changed in between
   */
  patch(path: string, operations: readonly JsonPatchOperation[], signal?: AbortSignal): Promise<KubernetesObject>;
  /**
   * Adds labels and annotations to an object, changes them, or with null takes them off; everything else of it stays.
   * @throws KubernetesError 409 where it is no longer the object with that `uid`
   */
  label(
    path: string,
    labels: Readonly<Record<string, string | null>>,
    signal?: AbortSignal,
    more?: { annotations?: Readonly<Record<string, string | null>>; uid?: string },
  ): Promise<void>;
  /** @returns false when there was nothing to delete. With `uid` only that very object, with `resourceVersion`
   *  only as it was seen: else KubernetesError 409. */
  remove(
    path: string,
    options?: { uid?: string; resourceVersion?: string; propagation?: 'Foreground' | 'Background' | 'Orphan' },
    signal?: AbortSignal,
  ): Promise<boolean>;
  /** Whether the identity in use may do this, as the API server judges it. */
  mayI(attributes: AccessQuestion, signal?: AbortSignal): Promise<boolean>;
  /** All that the identity in use may do in a namespace, as far as the API server can list it. */
  myRules(namespace: string, signal?: AbortSignal): Promise<{ rules: GrantedRule[]; complete: boolean }>;
  /** As `mayI`, of a service account. */
  mayAccount(
    account: { namespace: string; name: string },
    attributes: AccessQuestion,
    signal?: AbortSignal,
  ): Promise<boolean>;
  /**
   * A token of a service account for an audience, from TokenRequest. Seconds are at least 600; the server may grant
   * less.
   */
  tokenFor(
    account: { namespace: string; name: string },
    audience: string,
    seconds: number,
    signal?: AbortSignal,
  ): Promise<{ token: string; expiresAt: number }>;
  /** Log lines of a container, newest last. Empty when there are none. */
  podLog(
    pod: PodAddress,
    container: string,
    options?: { previous?: boolean; tailLines?: number; timestamps?: boolean },
    signal?: AbortSignal,
  ): Promise<string>;
  /**
   * Lines of a container's log as they are written, each behind its RFC 3339 time; ends with the container.
   * @param since RFC 3339: not what is older than this second
   */
  followPodLog(
    pod: PodAddress,
    container: string,
    options: { tailLines?: number; since?: string },
    signal: AbortSignal,
  ): AsyncIterable<string>;
  connect(pod: PodAddress, port: number, signal?: AbortSignal): Promise<Duplex>;
  exec(
    pod: PodAddress,
    container: string | undefined,
    command: readonly string[],
    signal?: AbortSignal,
    /** What it reads from standard input, which stays open: it has to know how much it reads. */
    input?: string,
  ): Promise<ExecResult>;
  /** In the pod's only or default container, with output and input as streams. */
  execStream(
    pod: PodAddress,
    command: readonly string[],
    options?: { input?: AsyncIterable<Uint8Array> | undefined; signal?: AbortSignal | undefined },
  ): Promise<RunningExec>;
  /**
   * The certificate authority that signed the API server's certificate, as PEM; undefined where the system's are used.
   */
  certificateAuthority(): Promise<string | undefined>;
  close(): void;
}

const METADATA_OF_ONE = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const texts = z.array(z.string());
const rulesSchema = z.object({
  status: z.object({
    incomplete: z.boolean().default(false),
    resourceRules: z
      .array(
        z.object({
          apiGroups: texts.nullish(),
          resources: texts.nullish(),
          verbs: texts,
          resourceNames: texts.nullish(),
        }),
      )
      .nullish()
      .transform((rules) => rules ?? []),
  }),
});
const tokenSchema = z.object({ status: z.object({ token: z.string().min(1), expirationTimestamp: z.string() }) });

/**
 * @param namespaces looked into one by one where the identity may not list or watch a kind in the whole cluster
 * @throws KubeconfigError when the environment's kubeconfig or context is not there
 */
export function createKubernetesClient(
  connection: Connections['kubernetes'],
  namespaces: readonly string[] = [],
): KubernetesClient {
  const login = createExecLogin();
  const transport = createTransport(() => loadKubeconfig(connection, login), login.forget);
  const watches = createWatches(transport, { namespaces });

  const get = async (path: string, signal?: AbortSignal): Promise<KubernetesObject | undefined> => {
    try {
      return await ask(transport, objectSchema, { path, signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const clusterUid = async (signal?: AbortSignal): Promise<string> => {
    const namespace = await ask(transport, objectSchema, { path: '/api/v1/namespaces/kube-system', signal });
    return namespace.metadata.uid;
  };

  const certificateAuthority = async (): Promise<string | undefined> => {
    const options: { ca?: Buffer | string } = {};
    await transport
      .kubeconfig()
      .applyToHTTPSOptions(options as Parameters<ReturnType<typeof transport.kubeconfig>['applyToHTTPSOptions']>[0]);
    return options.ca?.toString();
  };
  const identity = (signal?: AbortSignal): Promise<ClusterIdentity> =>
    clusterIdentity({ uid: () => clusterUid(signal), get: (path) => get(path, signal), trusted: certificateAuthority });

  const list = scopedList<ListOptions>(
    namespaces,
    async (path, { labelSelector, fieldSelector, metadataOnly, limit }, signal) =>
      ask(transport, listSchema, {
        path,
        query: { labelSelector, fieldSelector, limit },
        ...(metadataOnly ? { accept: METADATA_ONLY } : {}),
        signal,
      }),
  );

  return {
    server: transport.kubeconfig().getCurrentCluster()?.server ?? '',
    watches,
    clusterUid,
    identity,
    assertCluster: async (wanted, signal) => {
      const difference = clusterDifference(wanted, await identity(signal));
      if (difference !== undefined)
        throw new ClusterMismatchError(
          `The cluster is not the one that this was meant for: the API server answers with ${difference}. Nothing was changed.`,
        );
    },
    serverTime: () => transport.serverTime(),
    version: async (signal) => (await ask(transport, versionSchema, { path: '/version', signal })).gitVersion,
    kinds: (signal) => readKinds(transport, signal),
    get,
    list: (path, options = {}, signal) => list(path, options, signal),
    apply: (path, object, { force = false, manager = MANAGED_BY } = {}, signal) =>
      ask(transport, objectSchema, {
        method: 'PATCH',
        path,
        body: object,
        contentType: 'application/apply-patch+yaml',
        query: { fieldManager: manager, force: force || undefined },
        signal,
      }),
    create: (path, object, signal) =>
      ask(transport, objectSchema, { method: 'POST', path, body: object, query: { fieldManager: MANAGED_BY }, signal }),
    replace: (path, object, signal) =>
      ask(transport, objectSchema, { method: 'PUT', path, body: object, query: { fieldManager: MANAGED_BY }, signal }),
    dryRun: (path, object, { manager, force = false }, signal) =>
      ask(transport, objectSchema, {
        method: 'PATCH',
        path,
        body: object,
        contentType: 'application/apply-patch+yaml',
        query: { fieldManager: manager, force: force || undefined, dryRun: 'All' },
        signal,
      }),
    patch: (path, operations, signal) =>
      ask(transport, objectSchema, {
        method: 'PATCH',
        path,
        body: operations,
        contentType: 'application/json-patch+json',
        query: { fieldManager: MANAGED_BY },
        signal,
      }),
    label: async (path, labels, signal, more = {}) => {
      await transport.call({
        method: 'PATCH',
        path,
        body: { metadata: { labels, ...more } },
        contentType: 'application/merge-patch+json',
        accept: METADATA_OF_ONE,
        query: { fieldManager: MANAGED_BY },
        signal,
      });
    },
    remove: async (path, { propagation = 'Background', ...preconditions } = {}, signal) => {
      try {
        const body = {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy: propagation,
          ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
        };
        await transport.call({ method: 'DELETE', path, body, signal });
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
    mayI: (question, signal) => isAllowed(transport, question, signal),
    myRules: async (namespace, signal) => {
      const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } };
      const { status } = await ask(transport, rulesSchema, {
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
        body,
        signal,
      });
      return {
        complete: !status.incomplete,
        rules: status.resourceRules.map(({ apiGroups, resources, verbs, resourceNames }) => ({
          apiGroups: apiGroups ?? [],
          resources: resources ?? [],
          verbs,
          ...(resourceNames ? { resourceNames } : {}),
        })),
      };
    },
    mayAccount: (account, question, signal) => isAccountAllowed(transport, account, question, signal),
    tokenFor: async ({ namespace, name }, audience, seconds, signal) => {
      const body = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences: [audience], expirationSeconds: seconds },
      };
      const answer = await ask(transport, tokenSchema, {
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
        body,
        signal,
      });
      return { token: answer.status.token, expiresAt: Date.parse(answer.status.expirationTimestamp) };
    },
    podLog: ({ namespace, pod }, container, { previous, tailLines, timestamps } = {}, signal) =>
      transport.text({
        path: `/api/v1/namespaces/${namespace}/pods/${pod}/log`,
        query: {
          container,
          previous: previous || undefined,
          tailLines,
          timestamps: timestamps || undefined,
          limitBytes: 256 * 1024,
        },
        accept: '*/*',
        signal,
        timeoutSeconds: 10,
      }),
    followPodLog: (pod, container, options, signal) => followLog(transport, pod, container, options, signal),
    connect: (pod, port, signal) => connectToPod(transport.kubeconfig(), pod, port, signal),
    execStream: (pod, command, options) => streamFromPod(transport.kubeconfig(), pod, command, options),
    exec: (pod, container, command, signal, input) =>
      execInPod(transport.kubeconfig(), pod, container, command, signal, input),
    certificateAuthority,
    close: () => {
      watches.close();
      transport.close();
    },
  };
}
