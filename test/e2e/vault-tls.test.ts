/**
 * A protected environment is deployed whole, with a Vault that answers over TLS alone: whoever reads it goes by
 * https:// and checks the certificate against the authority that the environment names.
 */
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { VAULT_CA_SECRET } from '../../src/contract/names.ts';
import {
  type Guarded,
  guardedSandbox,
  startWithPods,
  startWorker,
  VAULT_NAME,
  VAULT_NAMES,
} from '../support/programs/guarded.ts';
import { failuresOf, resultOf, type Running, type RunningCli } from '../support/sandbox/sandbox.ts';
import { type Certificates, certificates, OPENSSL } from '../support/servers/tls.ts';

const SECRET = 'vault-tls';

interface Container {
  name: string;
  env?: { name: string; value?: string }[];
  volumeMounts?: { mountPath: string; name: string }[];
  readinessProbe?: { httpGet?: { scheme?: string } };
  livenessProbe?: { httpGet?: { scheme?: string } };
}
interface Pod {
  metadata: { name: string; namespace: string };
  spec: { containers: Container[]; initContainers?: Container[] };
}

describe('a protected environment over TLS', { concurrency: 1, skip: OPENSSL === undefined && 'needs openssl' }, () => {
  let folder: string;
  /** The files in Vault's pods. */
  let mounted: Certificates;
  let guarded: Guarded;
  let worker: RunningCli;

  /** As whoever issues certificates does: Secret and, a while later, the files in the pods. */
  async function issue({ cert, key }: Certificates, authorities: readonly string[]): Promise<void> {
    const ca = join(folder, 'ca.crt');
    await writeFile(ca, (await Promise.all(authorities.map((file) => readFile(file, 'utf8')))).join(''));
    await Promise.all([copyFile(cert, mounted.cert), copyFile(key, mounted.key), copyFile(ca, mounted.ca)]);
    const from = ['ca.crt=' + ca, `tls.crt=${cert}`, `tls.key=${key}`].map((pair) => `--from-file=${pair}`);
    const made = ['create', 'secret', 'generic', SECRET, ...from, '--dry-run=client', '-o', 'json'];
    await guarded.kubectl(
      ['-n', 'vault-system', 'apply', '--server-side', '--force-conflicts', '-f', '-'],
      await guarded.kubectl(['-n', 'vault-system', ...made]),
    );
  }
  const authorityOf = async (namespace: string, name: string): Promise<string> => {
    const data = await guarded.kubectl(['-n', namespace, 'get', 'secret', name, '-o', 'jsonpath={.data.ca\\.crt}']);
    return Buffer.from(data, 'base64').toString('utf8');
  };
  const deploy = (...args: string[]): Running =>
    guarded.sandbox.begin(['deploy', '--json', '--confirm', 'guarded', ...args]);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ananta-guarded-'));
    const first = await certificates(join(folder, 'first'), VAULT_NAMES);
    mounted = { ca: join(folder, 'mounted-ca'), cert: join(folder, 'mounted-cert'), key: join(folder, 'mounted-key') };
    guarded = await guardedSandbox(mounted, { tls: { secret: SECRET } });
    await guarded.kubectl(['create', 'namespace', 'vault-system']);
    await issue(first, [first.ca]);
  });
  after(async () => {
    // One that is asked to end first ends what it has begun.
    worker?.kill('SIGKILL');
    await worker?.done;
    await guarded?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('without TLS nothing is touched', async () => {
    const { sandbox, vault, kubectl } = guarded;
    await sandbox.configure({ vault });
    const refused = await deploy().done;
    assert.equal(refused.code, 3, refused.stderr);
    assert.match(refused.stderr + refused.stdout, /reaches Vault over TLS alone/);
    assert.equal(await kubectl(['-n', 'ananta-system', 'get', 'configmaps', '-o', 'name']), '');
    await sandbox.configure({});
  });

  test('is deployed, every reader by https:// with the authority', async () => {
    worker = await startWorker(guarded);
    const running = deploy();
    await startWithPods(guarded);
    const run = await running.done;
    assert.equal(resultOf(run).outcome, 'succeeded', failuresOf(run));

    const { items } = JSON.parse(await guarded.kubectl(['get', 'pods', '-A', '-o', 'json'])) as { items: Pod[] };
    const readers = items.flatMap(({ metadata, spec }) =>
      [...spec.containers, ...(spec.initContainers ?? [])].flatMap((container) => {
        const of = (name: string): string | undefined => container.env?.find((each) => each.name === name)?.value;
        const [address, ca] = [of('VAULT_ADDR'), of('VAULT_CACERT')];
        if (address === undefined && ca === undefined) return [];
        const has = container.volumeMounts?.some(({ mountPath }) => ca?.startsWith(`${mountPath}/`));
        return [{ pod: metadata.name, address, ca, has }];
      }),
    );
    assert.ok(readers.some(({ pod }) => pod.startsWith('api-')));
    assert.equal(readers.filter(({ pod }) => /^vault-\d$/.test(pod)).length, 3);
    for (const reader of readers) {
      assert.match(reader.address ?? '', /^https:\/\//, reader.pod);
      assert.equal(reader.has, true, `${reader.pod}: ${reader.ca}`);
    }
    for (const { metadata, spec } of items.filter(({ metadata: { name } }) => /^vault-\d$/.test(name)))
      for (const { readinessProbe, livenessProbe } of spec.containers)
        assert.deepEqual(
          [readinessProbe?.httpGet?.scheme, livenessProbe?.httpGet?.scheme],
          ['HTTPS', 'HTTPS'],
          metadata.name,
        );
    const kinds = ['configmaps,deployments,statefulsets,jobs', '-A', '-o', 'json'];
    assert.doesNotMatch(await guarded.kubectl(['get', ...kinds]), /http:\/\/[^"\s]*vault/);
  });

  test('a service that logs in reads its path, with nothing but what its pod has', async () => {
    assert.deepEqual(await readAsApi(), ['mail-api-key', 'signing-key']);
  });

  test('then nothing is left to do, and it is found healthy', async () => {
    const again = await deploy().done;
    assert.equal(resultOf(again).outcome, 'unchanged', failuresOf(again));
    const verified = await guarded.sandbox.look(['verify']);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  });

  test('a new authority, with both trusted for a while: readers get it and are restarted, none loses its way', async () => {
    const next = await certificates(join(folder, 'next'), VAULT_NAMES);
    await issue(next, [join(folder, 'first', 'ca.pem'), next.ca]);
    for (const index of [0, 1, 2]) guarded.servers.reload(index);
    const before = await startOf('api');
    const run = await deploy().done;
    assert.equal(resultOf(run).outcome, 'succeeded', failuresOf(run));
    assert.equal(await authorityOf('apps', VAULT_CA_SECRET), await authorityOf('vault-system', SECRET));
    assert.notEqual(await startOf('api'), before);
    assert.deepEqual(await readAsApi(), ['mail-api-key', 'signing-key']);

    await issue(next, [next.ca]);
    assert.equal(resultOf(await deploy().done).outcome, 'succeeded');
    assert.equal(await authorityOf('apps', VAULT_CA_SECRET), await readFile(next.ca, 'utf8'));
    assert.equal(resultOf(await deploy().done).outcome, 'unchanged');
  });

  test('what others have on the cluster is as it was', () => guarded.bystander.assertUntouched());

  async function startOf(release: string): Promise<string> {
    const pods = ['-n', 'apps', 'get', 'pods', '-l', `app.kubernetes.io/instance=${release}`];
    return guarded.kubectl([...pods, '-o', 'jsonpath={.items[*].metadata.uid}']);
  }

  /** Keys of its path, read with its service account's token. */
  async function readAsApi(): Promise<string[]> {
    const jwt = await guarded.kubectl(['-n', 'apps', 'create', 'token', 'api', '--audience', 'vault']);
    const ca = await authorityOf('apps', VAULT_CA_SECRET);
    const ask = (path: string, body: object | undefined, token = ''): Promise<Record<string, never>> =>
      new Promise((resolve, reject) => {
        const asked = request(
          {
            host: '127.0.0.1',
            port: guarded.servers.port(0),
            servername: VAULT_NAME,
            ca,
            path: `/v1/${path}`,
            method: body ? 'POST' : 'GET',
            headers: { 'x-vault-token': token },
          },
          (answer) => {
            let text = '';
            answer.setEncoding('utf8').on('data', (part: string) => (text += part));
            answer.on('end', () => resolve(JSON.parse(text) as Record<string, never>));
          },
        );
        asked.on('error', reject);
        asked.end(body && JSON.stringify(body));
      });
    const login = await ask('auth/kubernetes/login', { role: 'ananta-api', jwt: jwt.trim() });
    const { client_token: token } = (login['auth'] ?? {}) as { client_token?: string };
    assert.ok(token, JSON.stringify(login));
    const { data } = (await ask('secret/data/apps/api', undefined, token)) as unknown as { data: { data: object } };
    return Object.keys(data.data).sort();
  }
});
