/** A shell, or one command, pointed at an environment: nothing of the user's is used or changed. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { shellVariables } from '../../../src/cli/shell/environment.ts';
import { labelOf, shellStart } from '../../../src/cli/shell/prompt.ts';
import { readConfig } from '../../../src/config.ts';
import { openPty } from '../../support/programs/pty.ts';
import { exits, externalEnvironment, kubeconfigFor, type Workspace, workspace } from '../run-cli.ts';

const VARIABLES: Parameters<typeof shellVariables>[0] = {
  environment: { name: 'stage', protected: false, vault: {} as never },
  connections: {
    kubernetes: { kubeconfig: '/home/kim/.kube/config', context: 'stage', inCluster: false },
    engine: { address: 'engine:7233', namespace: 'ananta' },
  },
  runtime: undefined,
  folder: '/tmp/s',
  inherited: {
    PATH: '/usr/bin',
    VAULT_TOKEN: 'hvs.own',
    TEMPORAL_API_KEY: 'own',
    HELM_KUBECONTEXT: 'prod',
    EDITOR: 'vi',
  },
};

describe('variables', () => {
  test('of an external environment; what points elsewhere is not handed on', () =>
    assert.deepEqual(shellVariables(VARIABLES), {
      PATH: '/usr/bin',
      EDITOR: 'vi',
      ANANTA_SHELL: 'stage',
      KUBECONFIG: '/tmp/s/kubeconfig',
      HELM_CONFIG_HOME: '/tmp/s/helm/config',
      HELM_CACHE_HOME: '/tmp/s/helm/cache',
      HELM_DATA_HOME: '/tmp/s/helm/data',
      VAULT_CONFIG_PATH: '/tmp/s/vault.hcl',
      TEMPORAL_CONFIG_FILE: '/tmp/s/temporal.toml',
      TEMPORAL_ADDRESS: 'engine:7233',
      TEMPORAL_NAMESPACE: 'ananta',
    }));

  test('of an embedded one: its tools first, its Vault; an engine behind TLS', () => {
    const runtime = {
      tools: { kubectl: '/t/kubectl/kubectl', helm: '/t/helm/helm', etcd: '/t/etcd/etcd' },
      vault: { address: 'http://127.0.0.1:8200' },
    };
    const engine = { address: 'e:1', namespace: 'n', tls: { ca: '/ca', cert: '/cert', key: '/key', serverName: 'e' } };
    const found = shellVariables({ ...VARIABLES, runtime, connections: { ...VARIABLES.connections, engine } });
    assert.equal(found['PATH'], '/t/kubectl:/t/helm:/usr/bin');
    assert.equal(found['VAULT_ADDR'], 'http://127.0.0.1:8200');
    assert.deepEqual(
      Object.entries(found).filter(([name]) => name.startsWith('TEMPORAL_TLS')),
      [
        ['TEMPORAL_TLS', 'true'],
        ['TEMPORAL_TLS_SERVER_CA_CERT_PATH', '/ca'],
        ['TEMPORAL_TLS_CLIENT_CERT_PATH', '/cert'],
        ['TEMPORAL_TLS_CLIENT_KEY_PATH', '/key'],
        ['TEMPORAL_TLS_SERVER_NAME', 'e'],
      ],
    );
  });
});

describe('prompts', () => {
  const label = labelOf({ name: 'prod', protected: true });
  for (const [shell, where] of [
    ['/bin/bash', ({ files }) => files['bashrc']],
    ['/usr/bin/zsh', ({ files }) => files['.zshrc']],
    ['/usr/bin/fish', ({ args }) => args[1]],
    ['/bin/dash', ({ variables }) => variables['PS1']],
  ] as [string, (start: ReturnType<typeof shellStart>) => string | undefined][])
    test(`${shell}: a protected environment is named as one`, () =>
      assert.match(where(shellStart(shell, label, '/tmp/s', {})) ?? '', /\(ananta prod, PROTECTED\) /));
});

describe('shell', () => {
  let at: Workspace;
  let kubeconfig: string;
  before(async () => {
    at = await workspace();
    kubeconfig = join(at.folder, 'kubeconfig');
    const other = JSON.parse(kubeconfigFor('https://10.0.0.2:6443', 'other')) as Record<string, object[]>;
    const stage = JSON.parse(kubeconfigFor('https://10.0.0.1:6443')) as Record<string, object[]>;
    const contexts = [...(stage['contexts'] ?? []), { name: 'other', context: { cluster: 'c', user: 'secret' } }];
    const users = [...(stage['users'] ?? []), { name: 'secret', user: { token: 'of-another' } }];
    await writeFile(kubeconfig, JSON.stringify({ ...stage, contexts, users, 'current-context': 'other', other }));
    await at.environment('stage', externalEnvironment({ kubeconfig }));
  });
  after(() => at.remove());

  test('one command: its output, its exit code, and nothing left behind', async () => {
    const script = 'echo "$KUBECONFIG"; cat "$KUBECONFIG"; echo; ls "$(dirname "$KUBECONFIG")"; exit 7';
    const ran = await at.start(['shell', '--env', 'stage', '--', 'sh', '-c', script]).done;
    exits(ran, 7);
    const [file = '', content = '', ...files] = ran.stdout.trim().split('\n');
    assert.notEqual(file, kubeconfig);
    const own = JSON.parse(content) as Record<string, { name: string }[]>;
    assert.equal(own['current-context'], 'stage');
    assert.deepEqual([own['contexts']?.length, own['users']?.map(({ name }) => name)], [1, ['u']]);
    assert.doesNotMatch(content, /of-another/);
    assert.deepEqual(files, ['kubeconfig', 'token-helper', 'vault.hcl']);
    assert.equal(existsSync(file), false, 'the folder is gone');
  });

  test("a token that vault keeps is the shell's own", async () => {
    const script = `helper=$(sed -n 's/token_helper = "\\(.*\\)"/\\1/p' "$VAULT_CONFIG_PATH"); printf %s hvs.x | "$helper" store
"$helper" get; echo; "$helper" erase; "$helper" get; echo "[$VAULT_TOKEN]"`;
    const ran = await at.start(['shell', '--env', 'stage', '--', 'sh', '-c', script], {
      env: { VAULT_TOKEN: 'hvs.mine' },
    }).done;
    exits(ran, 0);
    assert.equal(ran.stdout, 'hvs.x\n[]\n');
  });

  test('a command that is not there, an environment that is not there, no terminal', async () => {
    const missing = await at.run(['shell', '--env', 'stage', '--', 'no-such-program']);
    exits(missing, 3);
    assert.match(missing.stderr, /no-such-program could not be started/);
    assert.equal((await at.run(['shell', '--env', 'stag', '--', 'true'])).code, 3);
    const none = await at.run(['shell', '--env', 'stage']);
    exits(none, 3);
    assert.match(none.stderr, /needs a terminal/);
  });

  test("bash: the user's own file is read, the prompt names the environment, a protected one in words", {
    skip: process.platform !== 'linux',
  }, async () => {
    const home = join(at.folder, 'home');
    await mkdir(home);
    await writeFile(
      join(home, '.bashrc'),
      "PS1='mine> '\nexport VAULT_TOKEN=hvs.mine KUBECONFIG=/mine\nalias hello='echo hello there'\n",
    );
    const main = join(readConfig().repoRoot, 'src', 'cli', 'main.ts');
    const env = {
      PATH: process.env['PATH'],
      HOME: home,
      SHELL: '/bin/bash',
      ANANTA_STATE_DIR: join(at.folder, 'state'),
      ANANTA_ENVIRONMENTS_DIR: at.folder,
    };
    const command = ['env', 'SHELL=/bin/bash', process.execPath, '--disable-warning=ExperimentalWarning', main];
    const pty = openPty([...command, 'shell', '--env', 'stage'], { env });
    await pty.shows(/\(ananta stage\) mine> $/m);
    pty.type('hello; echo "[$VAULT_TOKEN] $KUBECONFIG"; exit 3\r');
    const screen = await pty.shows(/^\[\] \/tmp\/ananta-shell-\w+\/kubeconfig$/m);
    assert.match(screen, /^hello there$/m);
    assert.equal(await pty.done, 3);
    assert.match(await readFile(join(home, '.bashrc'), 'utf8'), /mine>/);
  });
});
