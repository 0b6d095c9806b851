/**
 * The shape of the catalog: what the platform consists of, independent of where it is deployed. Everything here is
 * plain data; cross references are checked in `check/`.
 */
import { z } from 'zod';
import { checkSchema } from './checks.ts';
import { imageSchema, nameSchema } from './fields.ts';
import { rotationSchema } from './rotation.ts';

export { imageSchema, nameSchema } from './fields.ts';
export type { Check, HttpCheck, JobCheck, PromqlCheck } from './checks.ts';

export const namespaceSchema = z.strictObject({
  name: nameSchema,
  purpose: z.string(),
  /** Pod Security Admission level that the API server enforces. */
  podSecurity: z.enum(['restricted', 'baseline', 'privileged']),
});

/** How a service proves that it works, once Kubernetes calls it ready. Ports are container ports. */
export const healthSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('exec'),
    command: z.array(z.string()).min(1),
    container: z.string().optional(),
    /** What the command prints where all is well: what a simulated container answers. */
    answer: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('http'), port: z.number().int(), path: z.string().startsWith('/') }),
  z.strictObject({ kind: z.literal('tcp'), port: z.number().int() }),
  z.strictObject({ kind: z.literal('grpc'), port: z.number().int(), service: z.string() }),
  /** Vault's own `sys/health`: initialised and unsealed. */
  z.strictObject({ kind: z.literal('vault'), port: z.number().int() }),
  /** A Job is healthy when it has completed. */
  z.strictObject({ kind: z.literal('job') }),
]);

export const portSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,15}$/),
  /** The port of the Service. */
  port: z.number().int().min(1).max(65535),
  /** The port the container listens on; above 1024, since nothing runs as root. */
  containerPort: z.number().int().min(1025).max(65535),
  nodePort: z.number().int().min(30000).max(32767).optional(),
  /** `tcp` for anything that is not HTTP or gRPC. */
  protocol: z.enum(['http', 'grpc', 'tcp']),
});

/** One Vault path that a service uses. */
export const secretUseSchema = z.strictObject({
  path: z.string(),
  /** `kubernetes`: a Secret made from the path, `vault-<path with dashes>`; `login`: the service reads Vault itself. */
  delivery: z.enum(['kubernetes', 'login']),
  /** Keys of the path that go into the Secret; all of them when absent. */
  keys: z.array(z.string()).optional(),
  /**
   * Name of the Secret, where the reader insists on one (Argo CD's `argocd-secret`); otherwise derived from the path.
   */
  secretName: nameSchema.optional(),
  /** Labels that the reader insists on. */
  labels: z.record(z.string(), z.string()).optional(),
});

/** A further Helm release that belongs to a row: a schema Job before it, a bucket Job after it. */
export const stepSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('release'),
    name: nameSchema,
    /** Folder below helm/charts. */
    chart: z.string(),
    /** True where the release consists of a Job that has to complete. */
    job: z.boolean(),
    image: imageSchema.optional(),
    secrets: z.array(secretUseSchema).default([]),
    startupSeconds: z.number().nonnegative(),
  }),
  /** Initialise, unseal and configure Vault, seed all paths, make the Kubernetes Secrets. */
  z.strictObject({
    // Platforms that were written for earlier versions say `vault-bootstrap`.
    kind: z.enum(['vault-init', 'vault-bootstrap']).transform(() => 'vault-init' as const),
    name: nameSchema,
    startupSeconds: z.number().nonnegative(),
  }),
]);

export const serviceSchema = z.strictObject({
  number: z.number().int().positive(),
  phase: z.number().int().min(1),
  name: nameSchema,
  namespace: nameSchema,
  /** The part of the platform it belongs to; where rows are written in several files, that of the row. */
  module: nameSchema,
  kind: z.enum(['release', 'job']).default('release'),
  description: z.string(),
  chart: z.strictObject({
    /**
     * Folder below helm/charts of the platform, else of the checkout: used with `charts: bundled` and where no upstream
     * chart exists.
     */
    bundled: z.string(),
    /** Key of the upstream chart table. */
    upstream: z.string().optional(),
  }),
  image: imageSchema,
  dependsOn: z.array(nameSchema).default([]),
  /** Those of `dependsOn` that it waits for, and can do without where a person skips them. */
  optionalDependencies: z.array(nameSchema).default([]),
  /** Services it talks to without waiting for them (traces, call-backs): network policies let it through. */
  talksTo: z.array(nameSchema).default([]),
  health: healthSchema,
  /** Where the publisher's chart answers differently. */
  healthUpstream: healthSchema.optional(),
  ports: z.array(portSchema).default([]),
  /** The host below the environment's domain at which people or other systems reach one of its ports. */
  publicHost: z
    .strictObject({
      name: z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be a DNS label'),
      port: z.string(),
    })
    .optional(),
  secrets: z.array(secretUseSchema).default([]),
  /** Databases (`server/name`) this service connects to. */
  databases: z.array(z.string()).default([]),
  before: z.array(stepSchema).default([]),
  after: z.array(stepSchema).default([]),
  /** Seconds that such a service really takes to get ready: simulated pods (scaled) and estimates use it. */
  startupSeconds: z.number().nonnegative(),
  /** Seconds after which waiting for health is given up. */
  healthTimeoutSeconds: z.number().positive(),
  /** True where the release keeps data in volumes. */
  stateful: z.boolean().default(false),
  /** Size of its volume, where an environment does not say another (storage.sizes). */
  volumeSize: z
    .string()
    .regex(/^\d+(\.\d+)?(Ki|Mi|Gi|Ti)$/, 'must be a quantity such as 10Gi')
    .optional(),
  /** Objects that it makes for itself in its namespace while it runs, without a mark: they go with it. */
  makes: z.array(z.strictObject({ kind: z.string(), name: z.string() })).default([]),
  /** What has to be true once the whole platform is healthy: the verification stage. */
  checks: z.array(checkSchema).default([]),
});

export const upstreamChartSchema = z.strictObject({
  name: z.string(),
  repository: z.url(),
  /** OCI reference where the publisher serves one. */
  oci: z.string().startsWith('oci://').optional(),
  versionLine: z.string(),
  version: z.string(),
  component: z.string(),
  /** How its values are made from catalog and environment (src/plan/upstream); default: as the chart's key says. */
  overlay: z.string().optional(),
});

/** How a value of a Vault path comes to be. */
export const secretKeySchema = z.discriminatedUnion('kind', [
  /** Generated once, never overwritten. Length in characters. */
  z.strictObject({
    kind: z.literal('generated'),
    name: z.string(),
    format: z.enum(['alphanumeric', 'hex', 'base64', 'uuid']),
    length: z.number().int().positive(),
    /** How it gets another value later; absent: nobody has said. */
    rotation: rotationSchema.optional(),
  }),
  /** Not secret, kept beside the secret for those who read the path. */
  z.strictObject({ kind: z.literal('fixed'), name: z.string(), value: z.string() }),
  /** An HS256 token signed with another key of the same path. */
  z.strictObject({
    kind: z.literal('jwt'),
    name: z.string(),
    signedWith: z.string(),
    claims: z.record(z.string(), z.string()),
  }),
  /** The bcrypt hash of another key of the same path (Argo CD's admin). */
  z.strictObject({ kind: z.literal('bcrypt'), name: z.string(), of: z.string() }),
  /** A copy of a key of another path, so that both sides of a connection agree. */
  z.strictObject({
    kind: z.literal('copy'),
    name: z.string(),
    from: z.strictObject({ path: z.string(), key: z.string() }),
  }),
  /**
   * Issued by a third party: set by `ananta secrets set`. With `initially: 'placeholder'` it can only be issued once
   * the platform runs, so a placeholder stands in for it at first and no deployment waits for it.
   */
  z.strictObject({
    kind: z.literal('supplied'),
    name: z.string(),
    description: z.string(),
    initially: z.enum(['required', 'placeholder']).default('required'),
  }),
]);

export const secretPathSchema = z.strictObject({
  /** Below the KV mount `secret/`. */
  path: z.string().regex(/^[a-z0-9-]+(\/[a-z0-9-]+)+$/),
  /** `seed`: named by the platform's description; `ours`: added, because the description has no place for it. */
  origin: z.enum(['seed', 'ours']).default('ours'),
  description: z.string(),
  keys: z.array(secretKeySchema).min(1),
});

export const databaseSchema = z.strictObject({
  /** Service that serves it. */
  server: nameSchema,
  name: z.string().regex(/^[a-z_][a-z0-9_]*$/),
  owner: z.string(),
  /** Where the owner's password is. */
  password: z.strictObject({ path: z.string(), key: z.string() }),
});

export const migrationSchema = z.strictObject({
  /** The Job row that runs it. */
  service: nameSchema,
  /** `server/name` of a database. */
  database: z.string(),
  /** Folder of ordered SQL files, below helm/. */
  location: z.string(),
  /**
   * Before a file that is marked as a point of no return runs, the database is kept. `postgres`: dumped by its own
   * tool, where the environment has a place for it (backup); its server is a service with PostgreSQL in its pods.
   * `volume-snapshot`: VolumeSnapshots of its server's claims, where the cluster has a CSI driver that takes them.
   */
  checkpoint: z.strictObject({ kind: z.enum(['postgres', 'volume-snapshot']) }).optional(),
});

export const bucketSetSchema = z.strictObject({
  server: nameSchema,
  /** Release whose Job creates them. */
  job: nameSchema,
  buckets: z.array(z.string().regex(/^[a-z0-9.-]{3,63}$/)),
});

export const realmSchema = z.strictObject({
  name: z.string(),
  job: nameSchema,
  /** Realm file below helm/. */
  file: z.string(),
  clients: z.array(z.strictObject({ clientId: z.string(), service: nameSchema, public: z.boolean() })),
  /** The administrator that looks at it: a Vault path with its keys. */
  admin: z.strictObject({ path: z.string(), username: z.string(), password: z.string() }),
});

export const temporalNamespaceSchema = z.strictObject({ name: z.string(), retention: z.string(), job: nameSchema });

export const applicationSetSchema = z.strictObject({
  name: z.string(),
  namespace: nameSchema,
  /** Namespaces for which an Application is generated. */
  namespaces: z.array(nameSchema),
});

export const phaseSchema = z.strictObject({ number: z.number().int().min(1), title: z.string() });

export const catalogSchema = z.strictObject({
  /** Of the platform: on the label of each release. */
  name: nameSchema,
  /** As people call it. */
  title: z.string().min(1),
  phases: z.array(phaseSchema),
  namespaces: z.array(namespaceSchema),
  upstreamCharts: z.record(z.string(), upstreamChartSchema).default({}),
  secretPaths: z.array(secretPathSchema).default([]),
  databases: z.array(databaseSchema).default([]),
  migrations: z.array(migrationSchema).default([]),
  bucketSets: z.array(bucketSetSchema).default([]),
  realm: realmSchema.optional(),
  temporalNamespaces: z.array(temporalNamespaceSchema).default([]),
  applicationSet: applicationSetSchema.optional(),
  /** The service that is the platform's Prometheus: queries of checks go there. */
  prometheus: z.strictObject({ service: nameSchema, port: z.number().int() }).optional(),
  services: z.array(serviceSchema),
});

export type Catalog = z.infer<typeof catalogSchema>;
/** What a developer writes: defaults may be left out. */
export type CatalogInput = z.input<typeof catalogSchema>;
export type Service = z.infer<typeof serviceSchema>;
export type ServiceInput = z.input<typeof serviceSchema>;
export type Step = z.infer<typeof stepSchema>;
export type Health = z.infer<typeof healthSchema>;
export type Port = z.infer<typeof portSchema>;
export type Image = z.infer<typeof imageSchema>;
export type SecretPath = z.infer<typeof secretPathSchema>;
export type SecretPathInput = z.input<typeof secretPathSchema>;
export type SecretKey = z.infer<typeof secretKeySchema>;
export type { Rotation, RotationSystem } from './rotation.ts';
export type SecretUse = z.infer<typeof secretUseSchema>;
export type UpstreamChart = z.infer<typeof upstreamChartSchema>;
