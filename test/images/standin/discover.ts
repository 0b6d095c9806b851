/**
 * From configuration to checks: which databases, caches, brokers, stores and services it points at, by generic rules.
 * Pure. Whatever names another service, or is a credential, has to end up in a check; what does not is a problem.
 */
import type { Check, When } from './check.ts';
import {
  CREDENTIAL,
  FOREIGN,
  GRPC,
  MATERIAL,
  MATERIAL_LENGTH,
  OIDC,
  OTLP,
  POSTGRES,
  REDIS,
  REDIS_PASSWORDS,
  S3,
  SIGNED,
  STREAM,
  TEMPORAL,
  VAULT,
} from './conventions.ts';
import type { Profile } from './profiles.ts';

export interface Configuration {
  env: Readonly<Record<string, string>>;
  profile: Profile;
  /** Name of the service that the pod belongs to. */
  self: string;
  /** Content of a mounted file; undefined when it is not there. */
  readFile: (path: string) => string | undefined;
}

export interface Discovery {
  checks: Check[];
  /** Each names a variable, none its value. */
  problems: string[];
  /** Variables with addresses for browsers. */
  browser: string[];
}

interface Pen {
  env: Readonly<Record<string, string>>;
  profile: Profile;
  readFile: Configuration['readFile'];
  add: (check: Check) => void;
  problem: (text: string) => void;
  claim: (names: readonly (string | undefined)[]) => string[];
  /** Value of a variable; a missing one is a problem of `group`. */
  need: (group: string, name: string) => string;
}

const CLUSTER_HOST = /\b([a-z0-9-]+)\.[a-z0-9-]+\.svc\b/g;

export function discover({ env, profile, self, readFile }: Configuration): Discovery {
  const found: Discovery = { checks: [], problems: [], browser: [] };
  const claimed = new Set<string>();
  const pen: Pen = {
    env,
    profile,
    readFile,
    add: (check) => void found.checks.push(check),
    problem: (text) => void found.problems.push(text),
    claim: (names) => {
      const set = [
        ...new Set(names.filter((name) => name !== undefined && env[name] !== undefined) as string[]),
      ].sort();
      for (const name of set) claimed.add(name);
      return set;
    },
    need: (group, name) => {
      const value = env[name];
      if (value === undefined || value === '') found.problems.push(`${group} is set, ${name} is not`);
      return value ?? '';
    },
  };
  for (const name of profile.needs)
    if ((env[name] ?? '') === '') found.problems.push(`${name} is not set, and the program needs it`);
  for (const rule of [vault, byUrl, postgresParts, redisParts, redisFile, stream, s3, temporal, grpc, oidc]) rule(pen);
  for (const name of Object.keys(env))
    if (!claimed.has(name) && !FOREIGN.test(name)) rest(pen, name, self, found.browser);
  for (const name of profile.folders) folder(pen, name);
  kubernetes(pen);
  return found;
}

function vault({ env, add, claim, need }: Pen): void {
  const address = env[VAULT.address];
  if (address === undefined) return;
  const paths = need(VAULT.address, VAULT.paths).split(',');
  const agree = (path: string): [string, Record<string, string>][] => {
    const says = { address: env[TEMPORAL.address], namespace: env[TEMPORAL.namespace] };
    return path.endsWith('/temporal')
      ? [
          [
            path,
            Object.fromEntries(
              Object.entries(says).filter((entry): entry is [string, string] => entry[1] !== undefined),
            ),
          ],
        ]
      : [];
  };
  const { host, port } = hostPort(address, 8200);
  add({
    kind: 'vault',
    host,
    port,
    address,
    role: need(VAULT.address, VAULT.role),
    paths,
    agree: Object.fromEntries(paths.flatMap(agree)),
    when: 'start',
    from: claim(Object.values(VAULT)),
  });
}

/** Connection strings say by themselves what they lead to. */
function byUrl(pen: Pen): void {
  for (const [name, value] of Object.entries(pen.env)) {
    const url = !FOREIGN.test(name) && /^[a-z][a-z0-9+]*:\/\//.test(value) ? parse(value) : undefined;
    if (url === undefined || /^https?:$/.test(url.protocol)) continue;
    const login = { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
    // The variables that were put together to this one.
    const parts = Object.keys(pen.env).filter(
      (other) =>
        other !== name &&
        CREDENTIAL.test(`${other}_`.replace(/_USER_/, '_USERNAME_')) &&
        [login.user, login.password].includes(pen.env[other] ?? ''),
    );
    const at = (port: number) => ({
      host: url.hostname,
      port: url.port === '' ? port : Number(url.port),
      when: 'always' as const,
    });
    const path = decodeURIComponent(url.pathname.slice(1));
    const from = (): string[] => pen.claim([name, ...parts]);
    if (login.password === '') pen.problem(`${name} holds no password`);
    if (/\$\(/.test(value)) pen.problem(`${name} refers to a variable that was not there when it was put together`);
    switch (url.protocol.replace(/:$|\+.*$/, '')) {
      case 'postgres':
      case 'postgresql': {
        const extra = name.startsWith('PGRST_')
          ? { schema: pen.env.PGRST_DB_SCHEMAS ?? 'public', role: pen.env.PGRST_DB_ANON_ROLE ?? 'anon' }
          : {};
        pen.add({
          kind: 'postgres',
          ...at(5432),
          ...login,
          database: path,
          tables: pen.profile.migrated,
          ...extra,
          from: from(),
        });
        break;
      }
      case 'redis':
        pen.add({ kind: 'redis', ...at(6379), ...login, database: Number(path === '' ? 0 : path), from: from() });
        break;
      case 'amqp':
        pen.add({ kind: 'amqp', ...at(5672), ...login, vhost: path === '' ? '/' : path, from: from() });
        break;
      case 'mongodb':
        pen.add({ kind: 'mongodb', ...at(27017), ...login, url: value, database: path, from: from() });
        break;
      default:
        pen.claim([name]);
        pen.problem(`${name} is an address of a kind that is not known: ${url.protocol}`);
    }
  }
}

function postgresParts({ env, profile, add, claim, need }: Pen): void {
  for (const names of POSTGRES) {
    const host = env[names.host];
    if (host === undefined) continue;
    const schema = 'schema' in names ? env[names.schema] : undefined;
    add({
      kind: 'postgres',
      host,
      port: Number(env[names.port] ?? 5432),
      database: need(names.host, names.database),
      user: need(names.host, names.user),
      password: need(names.host, names.password),
      ...(schema === undefined ? {} : { schema }),
      tables: profile.migrated,
      when: 'always',
      from: claim(Object.values(names)),
    });
  }
}

function redisParts({ env, add, claim, need }: Pen): void {
  for (const names of REDIS) {
    const given = env[names.host];
    if (given === undefined) continue;
    const { host, port } = hostPort(given, 'port' in names ? Number(env[names.port] ?? 6379) : 6379);
    const database = 'database' in names ? Number(env[names.database] ?? 0) : 0;
    add({
      kind: 'redis',
      host,
      port,
      user: '',
      password: need(names.host, names.password),
      database,
      when: 'always',
      from: claim(Object.values(names)),
    });
  }
}

function redisFile({ env, readFile, add, claim, problem }: Pen): void {
  const path = env[REDIS_PASSWORDS];
  if (path === undefined) return;
  const from = claim([REDIS_PASSWORDS]);
  let entries: [string, unknown][] = [];
  try {
    entries = Object.entries(JSON.parse(readFile(path) ?? '') as Record<string, unknown>);
  } catch {
    problem(`the file that ${REDIS_PASSWORDS} names holds no JSON`);
  }
  for (const [address, password] of entries) {
    const { host, port } = hostPort(address, 6379);
    if (typeof password !== 'string' || password === '')
      problem(`the file that ${REDIS_PASSWORDS} names holds no password for ${host}`);
    add({ kind: 'redis', host, port, user: '', password: String(password), database: 0, when: 'always', from });
  }
}

function stream({ env, add, claim, need }: Pen): void {
  const host = env[STREAM.host];
  if (host === undefined) return;
  const name = env[STREAM.stream];
  add({
    kind: 'stream',
    host,
    port: Number(env[STREAM.port] ?? 5552),
    user: need(STREAM.host, STREAM.user),
    password: need(STREAM.host, STREAM.password),
    ...(name === undefined ? {} : { stream: name }),
    when: 'always',
    from: claim(Object.values(STREAM)),
  });
}

function s3({ env, add, claim, need, problem }: Pen): void {
  const first = (names: readonly string[]): string | undefined => names.find((name) => env[name] !== undefined);
  const endpoint = first(S3.endpoint);
  if (endpoint === undefined) return;
  const url = parse(env[endpoint] ?? '');
  if (url === undefined) {
    problem(`${endpoint} is no address`);
    return;
  }
  const named = (key: 'region' | 'accessKey' | 'secretKey'): string => first(S3[key]) ?? S3[key][0];
  const bucketNames = Object.keys(env)
    .filter((name) => S3.bucket.test(name))
    .sort();
  if (bucketNames.length === 0) problem(`${endpoint} is set, and no bucket`);
  add({
    kind: 's3',
    host: url.hostname,
    port: portOf(url),
    endpoint: url.href,
    region: need(endpoint, named('region')),
    accessKey: need(endpoint, named('accessKey')),
    secretKey: need(endpoint, named('secretKey')),
    buckets: bucketNames.map((name) => env[name] ?? ''),
    when: 'always',
    from: claim([endpoint, named('region'), named('accessKey'), named('secretKey'), ...bucketNames]),
  });
}

function temporal({ env, add, claim, need }: Pen): void {
  const address = env[TEMPORAL.address];
  if (address === undefined) return;
  add({
    kind: 'temporal',
    ...hostPort(address, 7233),
    namespace: need(TEMPORAL.address, TEMPORAL.namespace),
    when: 'always',
    from: claim(Object.values(TEMPORAL)),
  });
}

function grpc({ env, add, claim }: Pen): void {
  for (const [name, value] of Object.entries(env))
    if (GRPC.test(name)) add({ kind: 'grpc', ...hostPort(value, 8081), when: 'start', from: claim([name]) });
}

/** Keycloak by its address in the cluster; public addresses are the browser's. */
function oidc({ env, add, claim, need, problem }: Pen): void {
  const keys = env[OIDC.keys];
  const server = OIDC.server.find((name) => isInside(env[name]));
  if (keys === undefined && server === undefined) return;
  const base =
    keys === undefined
      ? `${(env[server ?? ''] ?? '').replace(/\/$/, '')}/realms/${need(server ?? '', OIDC.realm)}`
      : keys.replace(/\/protocol\/openid-connect\/certs$/, '');
  const url = parse(base);
  if (url === undefined) {
    problem(`${server ?? OIDC.keys} is no address`);
    return;
  }
  const issuerName = OIDC.issuer.find((name) => env[name] !== undefined);
  const secret = env[OIDC.secret];
  add({
    kind: 'oidc',
    host: url.hostname,
    port: portOf(url),
    base,
    ...(issuerName === undefined ? {} : { issuer: env[issuerName] ?? '' }),
    ...(secret === undefined ? {} : { client: { id: need(OIDC.secret, OIDC.client), secret } }),
    when: 'start',
    from: claim([OIDC.keys, server, issuerName, OIDC.realm, OIDC.client, OIDC.secret]),
  });
}

/**
 * Reads a variable that no connection has used: the address of another service over HTTP, of a receiver of traces, a
 * key of its own; any other is a problem.
 */
function rest(pen: Pen, name: string, self: string, browser: string[]): void {
  const value = pen.env[name] ?? '';
  const url = /^https?:\/\//.test(value) ? parse(value) : undefined;
  const when: When = pen.profile.later.includes(name) ? 'late' : 'start';
  if (url !== undefined && isInside(value)) {
    if (name === OTLP)
      pen.add({ kind: 'otlp', host: url.hostname, port: portOf(url), when: 'late', from: pen.claim([name]) });
    else pen.add({ kind: 'http', host: url.hostname, port: portOf(url), url: url.href, when, from: pen.claim([name]) });
    return;
  }
  if ([...value.matchAll(CLUSTER_HOST)].some((match) => match[1] !== self))
    pen.problem(`${name} names another service, and no check understands it`);
  else if (url !== undefined) browser.push(name);
  else if (pen.profile.ownLogins.includes(name)) {
    if (value === '') pen.problem(`${name} is empty`);
  } else if (MATERIAL.test(name)) material(pen, name, value);
  else if (CREDENTIAL.test(name)) pen.problem(`${name} is a credential, and no connection uses it`);
}

function material({ env, add, claim }: Pen, name: string, value: string): void {
  const signer = SIGNED.with.find((candidate) => env[candidate] !== undefined);
  const length = MATERIAL_LENGTH[name];
  add({
    kind: 'material',
    name,
    value,
    when: 'always',
    from: claim([name]),
    ...(length === undefined ? {} : { length }),
    ...(signer !== undefined && (SIGNED.tokens as readonly string[]).includes(name)
      ? { signedWith: env[signer] ?? '' }
      : {}),
  });
}

function folder({ env, add, claim, problem }: Pen, name: string): void {
  const path = name.startsWith('/') ? name : env[name];
  if (path === undefined) problem(`${name} is not set, and the program writes there`);
  else add({ kind: 'folder', path, when: 'always', from: claim([name]) });
}

function kubernetes({ env, profile, add, readFile }: Pen): void {
  if (profile.kubernetes === undefined) return;
  const namespace = readFile('/var/run/secrets/kubernetes.io/serviceaccount/namespace') ?? '';
  const port = Number(env.KUBERNETES_SERVICE_PORT ?? 443);
  add({
    // By address, as every program in a pod does.
    kind: 'kubernetes',
    host: 'kubernetes.default.svc',
    port,
    address: `https://${env.KUBERNETES_SERVICE_HOST ?? 'kubernetes.default.svc'}:${port}`,
    paths: profile.kubernetes.paths.map((path) => path.replace('{namespace}', namespace)),
    keys: profile.kubernetes.keys,
    when: 'start',
    from: [],
  });
}

function parse(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined;
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

/** `host`, `host:port`, or an address with a scheme. */
function hostPort(value: string, port: number): { host: string; port: number } {
  const match = /^(?:[a-z]+:\/\/)?([^:/]+)(?::(\d+))?\/?$/.exec(value);
  return { host: match?.[1] ?? value, port: match?.[2] === undefined ? port : Number(match[2]) };
}

function isInside(value: string | undefined): boolean {
  return /^[a-z]+:\/\/[^/]*\.svc(?:[:./]|$)/.test(value ?? '');
}
