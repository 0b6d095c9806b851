/**
 * The shape of a file in environments/: where and how the platform is deployed.
 * A file may name another one with `extends`; objects are merged key by key, everything else is replaced.
 */
import { z } from 'zod';

const seconds = z.number().positive();
const filePath = z.string().min(1);

const embeddedClusterSchema = z.strictObject({
  embedded: z.strictObject({
    /** Simulated nodes. */
    nodes: z.number().int().min(1).max(100).default(3),
  }),
});
const externalClusterSchema = z.strictObject({
  /** Context of the kubeconfig; `in-cluster` uses the pod's own identity. */
  context: z.string().min(1),
  /** Defaults to KUBECONFIG, then ~/.kube/config. */
  kubeconfig: filePath.optional(),
});

const embeddedEngineSchema = z.strictObject({ embedded: z.literal(true) });
const externalEngineSchema = z.strictObject({
  address: z.string().regex(/^[^\s/]+:\d+$/, 'host:port'),
  namespace: z.string().min(1),
  tls: z.union([z.boolean(), z.strictObject({ ca: filePath.optional(), cert: filePath.optional(), key: filePath.optional(), serverName: z.string().optional() })]).default(false),
  /** File that holds the API key; the key itself never stands in an environment file. */
  apiKeyFile: filePath.optional(),
});

export const environmentFileSchema = z.strictObject({
  $schema: z.string().optional(),
  extends: z.string().optional(),
  description: z.string(),
  /** Refuses destructive commands and asks for typed confirmation. */
  protected: z.boolean().default(false),
  cluster: z.union([embeddedClusterSchema, externalClusterSchema]),
  engine: z.union([embeddedEngineSchema, externalEngineSchema]),
  vault: z.strictObject({
    /** The Vault server inside the platform (service `vault`) is reached through the API server's port-forward. */
    shares: z.number().int().min(1).max(10).default(1),
    threshold: z.number().int().min(1).max(10).default(1),
    /** Where unseal keys are kept. `file`: 0600, in the environment's state folder or at `path`. */
    keys: z.strictObject({ store: z.literal('file'), path: filePath.optional() }).default({ store: 'file' }),
    /** What happens to the root token once the deployer role works. */
    rootToken: z.enum(['revoke', 'keep']).default('revoke'),
    /** API server address as Vault sees it, for token review; `auto` takes the embedded cluster's, else the in-cluster one. */
    kubernetesHost: z.string().default('auto'),
  }).prefault({}),
  /** `bundled`: charts of this repository; `upstream`: the publishers' charts. */
  charts: z.enum(['bundled', 'upstream']),
  domain: z.string().min(1),
  /** Values of secrets that third parties issue: `required` from the operator, or generated `placeholder`s. */
  suppliedSecrets: z.enum(['required', 'placeholder']).default('required'),
  images: z.strictObject({
    /** In front of the platform's own images, without a trailing slash. */
    prefix: z.string().min(1),
    /** Tag per service. */
    tags: z.record(z.string(), z.string()).default({}),
    pullSecrets: z.array(z.string()).default([]),
  }),
  replicas: z.strictObject({ default: z.number().int().min(1).default(1), services: z.record(z.string(), z.number().int().min(0)).default({}) }).prefault({}),
  /** Per service: Kubernetes resources. */
  resources: z.record(z.string(), z.strictObject({ requests: z.record(z.string(), z.string()).optional(), limits: z.record(z.string(), z.string()).optional() })).default({}),
  storage: z.strictObject({
    /** Absent: the cluster's default StorageClass. */
    class: z.string().optional(),
    /** Volume size per service. */
    sizes: z.record(z.string(), z.string()).default({}),
  }).prefault({}),
  /** Where Argo CD's Applications point: they show, they never synchronise by themselves. */
  gitops: z.strictObject({ repoURL: z.string(), targetRevision: z.string().default('HEAD'), path: z.string().default('helm/charts') }),
  helm: z.strictObject({
    /** Helm processes at once; as many as cores is fastest. */
    concurrency: z.number().int().min(1).max(32).default(2),
    /** Seconds until one `helm upgrade` is ended. */
    timeoutSeconds: seconds.default(300),
    /** Revisions Helm keeps. */
    historyMax: z.number().int().min(2).default(10),
  }).prefault({}),
  /** Multiplies every health timeout of the catalog. */
  healthTimeoutFactor: z.number().positive().default(1),
  /** Only with an embedded cluster: how the simulated pods behave. */
  simulation: z.strictObject({
    /** Multiplies every start-up time. */
    factor: z.number().min(0).default(0.35),
    /** Plus or minus this share of a start-up time, derived from the seed and the service's name. */
    jitter: z.number().min(0).max(0.5).default(0.05),
    seed: z.number().int().default(1),
    /** Seconds, in place of the catalog's. */
    startupSeconds: z.record(z.string(), z.number().nonnegative()).default({}),
  }).optional(),
});

export type EnvironmentFile = z.infer<typeof environmentFileSchema>;
export type EnvironmentInput = z.input<typeof environmentFileSchema>;
/** An environment after `extends` is resolved, with its name (the file's). */
export type Environment = EnvironmentFile & { name: string };
