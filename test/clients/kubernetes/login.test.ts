/** Log-in by plug-ins and files of kubeconfigs, and kubeconfigs of several files, against an API server that checks. */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { classify } from '../../../src/activities/failures.ts';
import { explain } from '../../../src/cli/shared/explain.ts';
import { createKubernetesClient, type KubernetesClient } from '../../../src/clients/kubernetes/index.ts';
import { loadKubeconfig, usesExecLogin } from '../../../src/clients/kubernetes/kubeconfig/kubeconfig.ts';
import { ClusterLoginError, createExecLogin } from '../../../src/clients/kubernetes/kubeconfig/login.ts';
import { readConfig } from '../../../src/config.ts';
import { type FakeApiServer, fakeApiServer } from '../../support/fakes/api-server.ts';

const NAMESPACE = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'kube-system', uid: 'u', resourceVersion: '1' },
};

let folder = '';
let server: FakeApiServer;
/** Tokens that the API server takes. */
let accepted: (token: string) => boolean = () => true;
let client: KubernetesClient | undefined;
const CLUSTER = (): object => ({ server: server.url, 'insecure-skip-tls-verify': true });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-login-'));
  server = await fakeApiServer();
  server.answer(({ headers }) => {
    const token = /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1];
    return token !== undefined && accepted(token)
      ? { body: NAMESPACE }
      : { status: 401, body: { kind: 'Status', code: 401, reason: 'Unauthorized', message: 'Unauthorized' } };
  });
});
after(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});
/** Resets the shared state around each test. */
function eachOnItsOwn(): void {
  beforeEach(() => {
    accepted = () => true;
    server.requests.length = 0;
  });
  afterEach(() => {
    client?.close();
    client = undefined;
    delete process.env['ANANTA_TEST_CI_TOKEN'];
  });
}

/** A log-in plug-in as a shell script; `$calls` counts its calls. */
async function plugin(script: string, name = 'plugin'): Promise<string> {
  const home = await mkdtemp(join(folder, 'plugin-'));
  await writeFile(
    join(home, name),
    `#!/bin/sh\necho x >> '${home}/calls'; calls=$(wc -l < '${home}/calls' | tr -d ' ')\n${script}\n`,
  );
  await chmod(join(home, name), 0o755);
  return join(home, name);
}
const calls = async (program: string): Promise<number> =>
  (await readFile(join(program, '..', 'calls'), 'utf8').catch(() => '')).split('\n').length - 1;
const giving = (status: string): string =>
  `printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":${status}}'`;

async function kubeconfig(user: object, more: object = {}, name = 'config'): Promise<string> {
  const path = join(await mkdtemp(join(folder, 'config-')), name);
  await writeFile(
    path,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      clusters: [{ name: 'c', cluster: CLUSTER() }],
      users: [{ name: 'ci', user }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'ci' } }],
      ...more,
    }),
  );
  return path;
}
const open = (path: string): KubernetesClient => {
  client?.close();
  client = createKubernetesClient({ kubeconfig: path, inCluster: false });
  return client;
};
const tokens = (): (string | undefined)[] =>
  server.requests.map(({ headers }) => headers.authorization?.slice('Bearer '.length));
const exec = (command: string, more: object = {}): object => ({
  exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never', ...more },
});

describe('a plug-in', () => {
  eachOnItsOwn();

  const NEEDY = `[ -n "$ANANTA_TEST_CI_TOKEN" ] || { echo 'error: CI_TOKEN is not set' >&2; exit 3; }\n${giving('{"token":"\'$ANANTA_TEST_CI_TOKEN\'"}')}`;

  test('gets the whole environment, and without what it needs ends in one error with its words', async () => {
    const program = await plugin(NEEDY);
    const path = await kubeconfig(exec(program));
    await assert.rejects(open(path).clusterUid(), (error: Error) => {
      assert.ok(error instanceof ClusterLoginError, error.stack);
      assert.match(
        error.message,
        /the plug-in ".*plugin" of user "ci" of the kubeconfig .* ended with exit code 3: error: CI_TOKEN is not set$/,
      );
      const { exitCode, message, next } = explain(error, { command: 'plan', environment: 'x' });
      assert.deepEqual([exitCode, /Unexpected|\n\s+at /.test(message), next.length > 0], [3, false, true]);
      assert.equal(classify(error).type, 'InvalidInput');
      return true;
    });
    assert.equal(await calls(program), 1);
    process.env['ANANTA_TEST_CI_TOKEN'] = 'secret-1';
    assert.equal(await open(path).clusterUid(), 'u');
    assert.deepEqual(tokens(), ['secret-1']);
  });

  const FAILING: [what: string, script: string, says: RegExp, more?: object][] = [
    ['ends without a word', 'exit 1', /ended with exit code 1 and said nothing$/],
    ['is killed', 'kill -9 $$', /was ended \(SIGKILL\) and said nothing$/],
    ['prints no JSON', 'echo hello; echo "log in first" >&2', /gave no ExecCredential: log in first$/],
    ['prints other JSON', 'echo "{}"', /gave no ExecCredential/],
    ['gives nothing', giving('{}'), /gave neither a token nor a certificate/],
    [
      'prints what looks like a token',
      'echo "bad token eyJhbGciOi.eyJzdWIi.sig and 0123456789012345678901234567890123456789abc" >&2; exit 1',
      /bad token … and …$/,
    ],
    [
      'prints a thousand lines',
      'i=0; while [ $i -lt 1000 ]; do echo "line $i" >&2; i=$((i+1)); done; exit 1',
      /exit code 1: line 995; line 996; line 997; line 998; line 999$/,
    ],
    ['reads from the terminal', 'read answer || { echo "no terminal" >&2; exit 1; }', /no terminal$/],
  ];
  for (const [what, script, says] of FAILING) {
    test(`that ${what}`, async () => {
      await assert.rejects(open(await kubeconfig(exec(await plugin(script)))).clusterUid(), says);
    });
  }

  test('that is not installed, is no program, or is not described', async () => {
    const hint = { installHint: 'Install it with: gcloud components install gke-gcloud-auth-plugin' };
    await assert.rejects(
      open(await kubeconfig(exec('no-such-plug-in', hint))).clusterUid(),
      /cannot be started: it is not there, or not on the PATH\. Install it with: gcloud/,
    );
    await assert.rejects(open(await kubeconfig(exec(folder))).clusterUid(), /cannot be started/);
    await assert.rejects(open(await kubeconfig({ exec: { args: [] } })).clusterUid(), {
      name: 'ConfigurationError',
      message: /is not described well: command/,
    });
  });

  test('that does not end is ended', async () => {
    const login = createExecLogin({ timeoutSeconds: 0.2 });
    const config = loadKubeconfig(
      { kubeconfig: await kubeconfig(exec(await plugin('exec sleep 60'))), inCluster: false },
      login,
    );
    await assert.rejects(config.applyToHTTPSOptions({ headers: {} }), /did not end within 0\.2 s/);
  });

  test('is asked once by many, again when the token has expired, and again when it is refused', async () => {
    const soon = giving(`{"token":"t'$calls'","expirationTimestamp":"2020-01-01T00:00:00Z"}`);
    const expiring = await plugin(soon);
    const login = createExecLogin();
    const config = loadKubeconfig({ kubeconfig: await kubeconfig(exec(expiring)), inCluster: false }, login);
    await Promise.all([1, 2, 3].map(() => config.applyToHTTPSOptions({ headers: {} })));
    assert.equal(await calls(expiring), 1);
    await config.applyToHTTPSOptions({ headers: {} });
    assert.equal(await calls(expiring), 2);

    const lasting = await plugin(giving(`{"token":"t'$calls'"}`));
    const at = open(await kubeconfig(exec(lasting)));
    await at.clusterUid();
    await at.clusterUid();
    assert.deepEqual([await calls(lasting), tokens()], [1, ['t1', 't1']]);
    accepted = (token) => token !== 't1';
    assert.equal(await at.clusterUid(), 'u');
    assert.deepEqual([await calls(lasting), tokens().slice(2)], [2, ['t1', 't2']]);
  });

  test('that fails after it had worked may come back: that is tried again', async () => {
    const program = await plugin(
      `[ $calls = 2 ] && { echo "sts: timeout" >&2; exit 1; }\n${giving(`{"token":"t'$calls'"}`)}`,
    );
    const at = open(await kubeconfig(exec(program)));
    await at.clusterUid();
    accepted = (token) => token !== 't1';
    await assert.rejects(at.clusterUid(), (error: Error) => {
      assert.deepEqual([classify(error).type, /sts: timeout/.test(error.message)], ['Unreachable', true]);
      return true;
    });
    assert.equal(await at.clusterUid(), 'u');
  });

  test('is found beside its kubeconfig, gets its arguments and variables, and is told about the cluster', async () => {
    const script = `[ "$1 $MINE" = "a b" ] || exit 9\nprintf '%s' "$KUBERNETES_EXEC_INFO" > "$0.info"\n${giving('{"token":"t"}')}`;
    const program = await plugin(script);
    const path = join(program, '..', 'kubeconfig');
    const settings = exec('./plugin', { args: ['a'], env: [{ name: 'MINE', value: 'b' }], provideClusterInfo: true });
    await writeFile(
      path,
      await readFile(
        await kubeconfig(settings, {
          clusters: [
            {
              name: 'c',
              cluster: {
                ...CLUSTER(),
                extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } }],
              },
            },
          ],
        }),
      ),
    );
    await open(path).clusterUid();
    const info = JSON.parse(await readFile(`${program}.info`, 'utf8')) as {
      spec: { interactive: boolean; cluster: object };
    };
    assert.deepEqual(info, {
      kind: 'ExecCredential',
      apiVersion: 'client.authentication.k8s.io/v1',
      spec: { interactive: false, cluster: { ...CLUSTER(), config: { audience: 'x' } } },
    });
    assert.equal(usesExecLogin({ kubeconfig: path, inCluster: false }), true);
    assert.equal(usesExecLogin({ kubeconfig: await kubeconfig({ token: 't' }), inCluster: false }), false);
    assert.equal(usesExecLogin({ kubeconfig: '/nowhere', inCluster: false }), false);
  });
});

describe('a file with a token', () => {
  eachOnItsOwn();

  test('beside the kubeconfig, without its line break, exchanged while it is used; missing', async () => {
    const path = await kubeconfig({ tokenFile: 'token', token: 'older' });
    await writeFile(join(path, '..', 'token'), 'one\n');
    const at = open(path);
    await at.clusterUid();
    accepted = (token) => token === 'two';
    await writeFile(join(path, '..', 'token'), 'two\n');
    await at.clusterUid();
    assert.deepEqual(tokens(), ['one', 'one', 'two']);
    await rm(join(path, '..', 'token'));
    await assert.rejects(open(path).clusterUid(), {
      name: 'ConfigurationError',
      message: /The token of user "ci" cannot be read: ENOENT/,
    });
  });

  test('a certificate that is missing is named', async () => {
    const path = await kubeconfig({ 'client-certificate': 'gone.crt', 'client-key': 'gone.key' });
    await assert.rejects(open(path).clusterUid(), {
      name: 'ConfigurationError',
      message: /cannot be used: .*gone\.crt/,
    });
  });
});

describe('KUBECONFIG', () => {
  eachOnItsOwn();

  test('empty is unset, several files are one, relative ones begin where we are', () => {
    const of = (KUBECONFIG: string): string => readConfig({ HOME: '/home/anna', KUBECONFIG }).kubeconfig;
    assert.deepEqual(['', ':', ':/a:', '/a::/b', 'a'].map(of), [
      '/home/anna/.kube/config',
      '/home/anna/.kube/config',
      '/a',
      '/a:/b',
      join(process.cwd(), 'a'),
    ]);
    assert.equal(readConfig({ HOME: '/home/anna' }).kubeconfig, '/home/anna/.kube/config');
  });

  test('merges as kubectl does: the first of a name counts, missing files are passed over', async () => {
    const one = await kubeconfig({ token: 'one' }, { 'current-context': '', contexts: [] });
    const two = await kubeconfig(
      { token: 'two' },
      {
        clusters: [
          { name: 'c', cluster: { server: 'https://127.0.0.1:1' } },
          { name: 'd', cluster: { server: 'https://d' } },
        ],
        contexts: [
          { name: 'c', context: { cluster: 'c', user: 'ci' } },
          { name: 'd', context: { cluster: 'd', user: 'ci' } },
        ],
      },
    );
    const list = [join(folder, 'missing'), one, two].join(':');
    await open(list).clusterUid();
    assert.deepEqual(tokens(), ['one']);
    assert.equal(
      loadKubeconfig({ kubeconfig: list, context: 'd', inCluster: false }).getCurrentCluster()?.server,
      'https://d',
    );
    assert.throws(
      () => loadKubeconfig({ kubeconfig: list, context: 'e', inCluster: false }),
      /has no context "e" \(it has: c, d\)/,
    );
    assert.throws(
      () => loadKubeconfig({ kubeconfig: '/no/a:/no/b', inCluster: false }),
      /None of the kubeconfigs \/no\/a, \/no\/b exists/,
    );
  });

  test('paths in each file are relative to that file', async () => {
    const one = await kubeconfig(
      {},
      {
        users: [],
        contexts: [],
        clusters: [{ name: 'c', cluster: { ...CLUSTER(), 'certificate-authority': 'ca.crt' } }],
      },
    );
    const two = await kubeconfig({ tokenFile: 'token' }, { clusters: [] });
    await writeFile(join(one, '..', 'ca.crt'), '');
    await writeFile(join(two, '..', 'token'), 'here');
    await open(`${one}:${two}`).clusterUid();
    assert.deepEqual(tokens(), ['here']);
    assert.equal(
      loadKubeconfig({ kubeconfig: `${one}:${two}`, inCluster: false }).getCurrentCluster()?.caFile,
      join(one, '..', 'ca.crt'),
    );
  });

  const BROKEN: [what: string, content: string, says: RegExp][] = [
    ['a text', 'hello', /cannot be read: it is not as in a kubeconfig/],
    ['lists of nothing', 'clusters: [null]', /cannot be read: clusters\.0 is not as in a kubeconfig/],
    ['a cluster without a name', 'clusters: [{cluster: {}}]', /cannot be read: clusters\.0\.name/],
    ['nothing', '', /names no cluster for its current context/],
    ['broken YAML', 'clusters: [', /cannot be read/],
    [
      'a server that is no address',
      'current-context: c\nclusters: [{name: c, cluster: {server: nowhere}}]\ncontexts: [{name: c, context: {cluster: c}}]',
      /has no address for the cluster "c" \(server: "nowhere"\)/,
    ],
  ];
  for (const [what, content, says] of BROKEN) {
    test(`with ${what}`, async () => {
      const path = join(await mkdtemp(join(folder, 'broken-')), 'config');
      await writeFile(path, content);
      assert.throws(() => loadKubeconfig({ kubeconfig: path, inCluster: false }), {
        name: 'ConfigurationError',
        message: says,
      });
    });
  }

  test('a folder', async () => {
    const path = join(folder, 'a-folder');
    await mkdir(path);
    assert.throws(() => loadKubeconfig({ kubeconfig: path, inCluster: false }), {
      name: 'ConfigurationError',
      message: /cannot be read: EISDIR/,
    });
  });
});

test('what plug-ins inherit: everything but what belongs to the shell', () => {
  const { loginEnv, childEnv } = readConfig({
    CI_TOKEN: 't',
    GOOGLE_APPLICATION_CREDENTIALS: '/g',
    AWS_ACCESS_KEY_ID: 'a',
    SSH_AUTH_SOCK: '/s',
    PATH: '/bin',
    CI: 'true',
    SHLVL: '2',
    PWD: '/',
    _: '/bin/x',
    TERM: 'dumb',
    npm_config_x: '1',
    HELM_NAMESPACE: 'x',
    KUBECONFIG: '/k',
    SSH_TTY: '/t',
    ANANTA_STATE_DIR: '/a',
    TERM_PROGRAM: 'x',
  });
  assert.deepEqual(Object.keys(loginEnv).sort(), [
    'AWS_ACCESS_KEY_ID',
    'CI',
    'CI_TOKEN',
    'GOOGLE_APPLICATION_CREDENTIALS',
    'PATH',
    'SSH_AUTH_SOCK',
  ]);
  assert.deepEqual(Object.keys(childEnv), ['PATH']);
});
