/** What a stand-in asks of its surroundings, and how it reports on that. */
import { z } from 'zod';

/**
 * `always`: without it the service is not healthy. `start`: needed to become healthy, not to stay so (what is called
 * over HTTP now and then). `late`: reported only, since whoever is called may be deployed afterwards.
 */
export const whenSchema = z.enum(['always', 'start', 'late']);
export type When = z.infer<typeof whenSchema>;

interface Common {
  /** Names of the variables that it was made from, sorted. */
  from: string[];
  when: When;
}
interface Remote extends Common {
  /** As configured: `supabase-db.database-system.svc`. */
  host: string;
  port: number;
}
export interface Login {
  user: string;
  password: string;
}

/** `tables`: migrations must have made some. `role`: the login must be able to become it. */
export type PostgresCheck = Remote &
  Login & { kind: 'postgres'; database: string; schema?: string; role?: string; tables: boolean };
export type RedisCheck = Remote & Login & { kind: 'redis'; database: number };
export type AmqpCheck = Remote & Login & { kind: 'amqp'; vhost: string };
/** `stream`: one that it reads or writes. */
export type StreamCheck = Remote & Login & { kind: 'stream'; stream?: string };
export type MongoCheck = Remote & Login & { kind: 'mongodb'; url: string; database: string };
export type S3Check = Remote & {
  kind: 's3';
  endpoint: string;
  region: string;
  accessKey: string;
  secretKey: string;
  buckets: string[];
};
export type TemporalCheck = Remote & { kind: 'temporal'; namespace: string };
/** `agree`: what a path holds besides the secret has to be what the variables say, by key. */
export type VaultCheck = Remote & {
  kind: 'vault';
  address: string;
  role: string;
  paths: string[];
  agree: Record<string, Record<string, string>>;
};
/** `base`: address of the realm. */
export type OidcCheck = Remote & {
  kind: 'oidc';
  base: string;
  issuer?: string;
  client?: { id: string; secret: string };
};
export type HttpCheck = Remote & { kind: 'http'; url: string };
/** gRPC health of the server as a whole. */
export type GrpcCheck = Remote & { kind: 'grpc' };
/** Takes traces by gRPC. */
export type OtlpCheck = Remote & { kind: 'otlp' };
/** Paths of the API server that its service account may read, and keys that a Secret among them must have. */
export type KubernetesCheck = Remote & {
  kind: 'kubernetes';
  address: string;
  paths: string[];
  keys: Record<string, string[]>;
};
export type FolderCheck = Common & { kind: 'folder'; path: string };
/** A key or token of its own: there, and of the right shape. */
export type MaterialCheck = Common & {
  kind: 'material';
  name: string;
  value: string;
  length?: number;
  signedWith?: string;
};

export type RemoteCheck =
  | PostgresCheck
  | RedisCheck
  | AmqpCheck
  | StreamCheck
  | MongoCheck
  | S3Check
  | TemporalCheck
  | VaultCheck
  | OidcCheck
  | HttpCheck
  | GrpcCheck
  | OtlpCheck
  | KubernetesCheck;
export type Check = RemoteCheck | FolderCheck | MaterialCheck;

export function isRemote(check: Check): check is RemoteCheck {
  return 'host' in check;
}

/** Service and namespace of an address inside the cluster: `supabase-db.database-system`; others as they are. */
export function targetOf(check: Check): string {
  if (check.kind === 'folder') return check.path;
  if (check.kind === 'material') return check.name;
  return check.host.replace(/\.svc(\.cluster\.local)?\.?$/, '');
}

/** What is asked for there, in words without any secret. */
export function describe(check: Check): string {
  switch (check.kind) {
    case 'postgres':
      return `${check.database} as ${check.user}${check.role === undefined ? '' : `, then ${check.role}`}`;
    case 'redis':
      return `database ${check.database}`;
    case 'amqp':
      return `virtual host ${check.vhost} as ${check.user}`;
    case 'stream':
      return `${check.stream ?? 'login'} as ${check.user}`;
    case 'mongodb':
      return `${check.database} as ${check.user}`;
    case 's3':
      return `${check.buckets.join(', ')} as ${check.accessKey}`;
    case 'temporal':
      return `namespace ${check.namespace}`;
    case 'vault':
      return `${check.paths.join(', ')} as ${check.role}`;
    case 'oidc':
      return `${new URL(check.base).pathname}${check.client === undefined ? '' : ` as ${check.client.id}`}`;
    case 'http':
      return check.url;
    case 'grpc':
      return 'health';
    case 'otlp':
      return 'traces';
    case 'kubernetes':
      return check.paths.join(', ');
    case 'folder':
      return 'writable';
    case 'material':
      return check.signedWith === undefined ? 'there' : 'signed with its key';
  }
}

/** One check in `/standin/report`. */
export const resultSchema = z.strictObject({
  kind: z.string(),
  target: z.string(),
  port: z.number().int().optional(),
  what: z.string(),
  from: z.array(z.string()),
  when: whenSchema,
  ok: z.boolean(),
  attempts: z.number().int(),
  /** Whether the very first attempt succeeded: what a service waits for must be there before it. */
  firstOk: z.boolean().optional(),
  /** Why the last attempt failed. */
  error: z.string().optional(),
});
export type Result = z.infer<typeof resultSchema>;

export const reportSchema = z.strictObject({
  service: z.string(),
  image: z.string(),
  /** `starting` until everything needed has succeeded once. */
  state: z.enum(['starting', 'healthy', 'failing']),
  /** Configuration that cannot be used, by the name of the variable. */
  problems: z.array(z.string()),
  /** Variables with addresses for browsers, which nobody can reach from inside. */
  browser: z.array(z.string()),
  checks: z.array(resultSchema),
});
export type Report = z.infer<typeof reportSchema>;
