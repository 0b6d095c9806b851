/**
 * Services asked with their own tools for what the init Jobs have made in them: through exec, and through the API
 * server's port-forward.
 */
import http from 'node:http';
import { z } from 'zod';
import type { Catalog } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import { readKv } from '../../clients/vault/index.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import { bucketFindings, bucketsOf, realmFindings, temporalFindings } from '../../plan/drift/content-findings.ts';
import { ledgerFindings, ledgerRows, type Migration } from '../../plan/drift/content-ledger.ts';
import { callOnce, encodeRequest } from '../probe/grpc.ts';
import { authorityOf, brief, type ProbeTarget } from '../probe/types.ts';
import { registerSecretValues } from '../vault/register-values.ts';

export type ContentClients = Pick<Clients, 'kubernetes' | 'vault' | 'catalog' | 'redactor'>;

const NOT_FOUND = 5;

/** The password is the container's own: it stands in no argument of ours and never comes back. */
const LIST_BUCKETS =
  'export MC_CONFIG_DIR=/tmp/.mc MC_HOST_server="http://$MINIO_ROOT_USER:$MINIO_ROOT_PASSWORD@127.0.0.1:9000"; mc ls --json server/';

export async function askBuckets(
  { kubernetes }: ContentClients,
  target: ProbeTarget,
  { server, job, buckets }: Catalog['bucketSets'][number],
  signal: AbortSignal,
): Promise<DriftFinding[]> {
  const { exitCode, stdout, stderr } = await kubernetes.exec(target, undefined, ['sh', '-c', LIST_BUCKETS], signal);
  if (exitCode !== 0) throw new Error(`mc exited ${exitCode}: ${brief(stderr) || brief(stdout)}`);
  return bucketFindings(server, job, buckets, bucketsOf(stdout));
}

const QUERY = 'select version, script, checksum, success from flyway_schema_history order by installed_rank';

/** @param migrations that the checkout has for it */
export async function askLedger(
  { kubernetes }: ContentClients,
  target: ProbeTarget,
  { service, database }: Catalog['migrations'][number],
  migrations: readonly Migration[],
  signal: AbortSignal,
): Promise<DriftFinding[]> {
  const name = database.split('/')[1] ?? '';
  const command = `PGPASSWORD="\${POSTGRES_PASSWORD:-}" psql -X -U postgres -d ${name} -At -F '|' -c '${QUERY}'`;
  const { exitCode, stdout, stderr } = await kubernetes.exec(target, undefined, ['sh', '-c', command], signal);
  const common = { release: service, database, migrations };
  if (exitCode === 0) return ledgerFindings({ ...common, rows: ledgerRows(stdout) });
  if (/relation "flyway_schema_history" does not exist/.test(stderr))
    return ledgerFindings({ ...common, rows: undefined });
  throw new Error(`psql exited ${exitCode}: ${brief(stderr)}`);
}

export async function askTemporal(
  { kubernetes, catalog }: ContentClients,
  target: ProbeTarget,
  namespaces: Catalog['temporalNamespaces'],
  signal: AbortSignal,
): Promise<DriftFinding[]> {
  const seen = await Promise.all(
    namespaces.map(async ({ name, job }) => {
      const stream = await kubernetes.connect(target, portOf(catalog, target), signal);
      try {
        // DescribeNamespaceRequest has the name as its first field, as the health request has its service.
        const { code, message } = await callOnce(
          stream,
          authorityOf(target),
          '/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace',
          encodeRequest(name),
          signal,
        );
        if (code !== 0 && code !== NOT_FOUND)
          throw new Error(`DescribeNamespace ${name}: status ${code ?? 'unknown'} ${message}`);
        return { name, job, exists: code === 0 };
      } finally {
        stream.destroy();
      }
    }),
  );
  return temporalFindings(seen);
}

const tokenSchema = z.object({ access_token: z.string().min(1) });
const clientsSchema = z.array(
  z.looseObject({ clientId: z.string(), enabled: z.boolean().default(true), publicClient: z.boolean().default(false) }),
);

/** The administrator's password goes from Vault to Keycloak and nowhere else. */
export async function askKeycloak(
  clients: ContentClients,
  target: ProbeTarget,
  realm: NonNullable<Catalog['realm']>,
  signal: AbortSignal,
): Promise<DriftFinding[]> {
  const ask = (
    method: string,
    path: string,
    options: { body?: string; token?: string } = {},
  ): Promise<{ status: number; body: string }> =>
    request(clients, target, portOf(clients.catalog, target), { method, path, ...options }, signal);
  const known = await ask('GET', `/realms/${realm.name}/.well-known/openid-configuration`);
  if (known.status === 404) return realmFindings(realm, undefined);
  if (known.status !== 200) throw new Error(`GET the realm's configuration: ${known.status}`);
  const { data = {} } =
    (await clients.vault.asDeployer((session) => readKv(session, realm.admin.path, signal), signal)) ?? {};
  registerSecretValues(
    clients.redactor,
    clients.catalog.secretPaths.find(({ path }) => path === realm.admin.path),
    data,
  );
  const login = new URLSearchParams({
    grant_type: 'password',
    client_id: 'admin-cli',
    username: data[realm.admin.username] ?? '',
    password: data[realm.admin.password] ?? '',
  });
  const answered = await ask('POST', '/realms/master/protocol/openid-connect/token', { body: login.toString() });
  if (answered.status !== 200) throw new Error(`login as Keycloak's administrator: ${answered.status}`);
  const { access_token: token } = tokenSchema.parse(JSON.parse(answered.body));
  clients.redactor.learn(token);
  const listed = await ask('GET', `/admin/realms/${realm.name}/clients?briefRepresentation=true&max=1000`, { token });
  if (listed.status !== 200) throw new Error(`GET the realm's clients: ${listed.status}`);
  return realmFindings(realm, clientsSchema.parse(JSON.parse(listed.body)));
}

async function request(
  { kubernetes }: ContentClients,
  target: ProbeTarget,
  port: number,
  { method, path, body, token }: { method: string; path: string; body?: string; token?: string },
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  const stream = await kubernetes.connect(target, port, signal);
  try {
    return await new Promise((resolve, reject) => {
      const outgoing = http.request(
        {
          // Without an agent the given connection is used for this one request.
          createConnection: () => stream,
          method,
          path,
          signal,
          headers: {
            host: authorityOf(target),
            connection: 'close',
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined
              ? {}
              : {
                  'content-type': 'application/x-www-form-urlencoded',
                  'content-length': String(Buffer.byteLength(body)),
                }),
          },
        },
        (answer) => {
          let text = '';
          answer.on('data', (chunk: Buffer) => {
            text += chunk.toString('utf8');
          });
          answer.once('error', reject);
          answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
        },
      );
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  } finally {
    stream.destroy();
  }
}

/** Where the service answers: its first port. */
function portOf({ services }: Pick<Catalog, 'services'>, { release }: ProbeTarget): number {
  const port = services.find(({ name }) => name === release)?.ports[0]?.containerPort;
  if (port === undefined) throw new Error(`the catalog gives ${release} no port`);
  return port;
}
