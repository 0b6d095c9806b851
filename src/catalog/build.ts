/** Small builders for the services' data, for what many rows have in common. */
import { IMAGES } from './images.ts';
import type { Health, Port, SecretUse, ServiceInput } from './schema.ts';

type StepInput = NonNullable<ServiceInput['after']>[number];
type CheckInput = NonNullable<ServiceInput['checks']>[number];

/** Name of a service inside the cluster. */
export function host(service: string, namespace: string): string {
  return `${service}.${namespace}.svc`;
}

/** A Secret made from a Vault path; with keys, only these. */
export function fromSecret(path: string, ...keys: string[]): SecretUse {
  return { path, delivery: 'kubernetes', ...(keys.length > 0 ? { keys } : {}) };
}

/** The service logs in to Vault with its service account and reads the path itself. */
export function fromVault(path: string): SecretUse {
  return { path, delivery: 'login' };
}

export function http(name: string, port: number, options: { containerPort?: number; nodePort?: number } = {}): Port {
  return {
    name,
    port,
    containerPort: options.containerPort ?? port,
    protocol: 'http',
    ...(options.nodePort === undefined ? {} : { nodePort: options.nodePort }),
  };
}

export function tcp(name: string, port: number): Port {
  return { name, port, containerPort: port, protocol: 'tcp' };
}

export function grpc(name: string, port: number): Port {
  return { name, port, containerPort: port, protocol: 'grpc' };
}

export function httpHealth(port: number, path: string): Health {
  return { kind: 'http', port, path };
}

/** A check that the service answers quickly once the whole platform runs. */
export function answersAtOnce(port: number, path: string): CheckInput {
  return {
    kind: 'http',
    name: 'answers',
    description: 'It answers at once while everything runs',
    port,
    path,
    expect: { withinSeconds: 2 },
  };
}

/** A check that a browser gets an HTML page. */
export function servesPage(port: number, path = '/'): CheckInput {
  const headers = { 'content-type': 'text/html; charset=utf-8' };
  return {
    kind: 'http',
    name: 'page',
    description: 'A browser gets a page',
    port,
    path,
    expect: { headers: { 'content-type': '^text/html' }, withinSeconds: 2 },
    answer: { headers, body: '<!doctype html>' },
  };
}

/**
 * What every PostgreSQL server shares: chart, image, port, `pg_isready`, and the Job that makes roles and databases.
 */
export function postgresServer(
  name: string,
  namespace: string,
  secrets: { server: string; ownerKeys?: string[]; databases: SecretUse[] },
) {
  const databases: StepInput = {
    kind: 'release',
    name: `${name}-databases`,
    chart: 'job',
    job: true,
    image: IMAGES.postgres,
    secrets: [
      fromSecret(
        secrets.server,
        'postgres-username',
        'postgres-password',
        'username',
        'password',
        ...(secrets.ownerKeys ?? []),
      ),
      ...secrets.databases,
    ],
    startupSeconds: 5,
  };
  return {
    name,
    namespace,
    kind: 'release',
    chart: { bundled: 'postgresql', upstream: 'postgresql' },
    image: IMAGES.postgres,
    dependsOn: ['vault'],
    health: {
      kind: 'exec',
      command: ['pg_isready', '-h', host(name, namespace), '-p', '5432', '-U', 'postgres'],
      answer: `${name} - accepting connections`,
    },
    ports: [tcp('postgresql', 5432)],
    secrets: [fromSecret(secrets.server, 'postgres-password')],
    after: [databases],
    startupSeconds: 10,
    healthTimeoutSeconds: 300,
    stateful: true,
    volumeSize: '10Gi',
  } satisfies Partial<ServiceInput>;
}

/** What every Redis shares. `-e` makes redis-cli fail where the server answers with an error. */
export function redisServer(name: string, namespace: string, secretPath: string) {
  return {
    name,
    namespace,
    kind: 'release',
    chart: { bundled: 'redis', upstream: 'redis' },
    image: IMAGES.redis,
    dependsOn: ['vault'],
    health: { kind: 'exec', command: ['redis-cli', '-e', '-h', host(name, namespace), 'ping'], answer: 'PONG' },
    ports: [tcp('redis', 6379)],
    secrets: [fromSecret(secretPath)],
    startupSeconds: 4,
    healthTimeoutSeconds: 180,
    stateful: true,
    volumeSize: '2Gi',
  } satisfies Partial<ServiceInput>;
}

/** What every Job row shares: no port, healthy when completed. */
export function jobRow(startupSeconds: number) {
  return {
    kind: 'job',
    chart: { bundled: 'job' },
    health: { kind: 'job' },
    ports: [],
    startupSeconds,
    healthTimeoutSeconds: 300,
    stateful: false,
  } satisfies Partial<ServiceInput>;
}

/** A "Custom" row of the description: one stateless Deployment of the service chart. */
export function customRow(startupSeconds: number) {
  return {
    kind: 'release',
    chart: { bundled: 'service' },
    startupSeconds,
    healthTimeoutSeconds: 300,
    stateful: false,
  } satisfies Partial<ServiceInput>;
}

/** A Job that runs beside a row's own release. */
export function jobStep(step: Omit<Extract<StepInput, { kind: 'release' }>, 'kind' | 'job' | 'chart'>): StepInput {
  return { kind: 'release', chart: 'job', job: true, ...step };
}
