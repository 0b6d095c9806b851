/** Bad input, asked of the real program: the exit code, a text that helps, and nothing touched. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { exits, externalEnvironment, kubeconfigFor, startFakeApi, type Workspace, workspace } from './run-cli.ts';

describe('arguments', { concurrency: 2 }, () => {
  let at: Workspace;
  before(async () => (at = await workspace()));
  after(() => at.remove());

  const CASES: [args: string[], says: RegExp][] = [
    [['deploi'], /There is no command "deploi", did you mean "deploy"\?[^]*Next: npm run ananta -- --help/],
    [
      ['deploy', '--env', 'sandbx'],
      /^deploy --env sandbx: refused, nothing was touched\n.*there is no environment "sandbx", did you mean "sandbox"\?/,
    ],
    [
      ['deploy', '--timout', '5m'],
      /Unknown option '--timout'[^]*Did you mean --timeout\?[^]*Next: npm run ananta -- deploy --help/,
    ],
    [
      ['deploy', '--timeout', '15'],
      /"15" is not a duration: expected .* like 90s, 15m or 1h30m\. The unit is missing: 15s or 15m\?/,
    ],
    [['deploy', '--timeout', 'soon'], /"soon" is not a duration/],
    [['deploy', '--image', 'reports'], /"reports" is not SERVICE=TAG, as in api=1\.4\.2/],
    [
      ['deploy', '--env', 'mini', '--image', 'strage=1.2'],
      /there is no service "strage", did you mean "storage"\?[^]*npm run ananta -- catalog/,
    ],
    [['deploy', '--if-running', 'wait'], /Allowed choices are attach, refuse/],
    [['status', 'everything'], /Too many arguments/i],
    [['plan', '--env', 'mini', '--image', 'strage=1.2'], /there is no service "strage", did you mean "storage"\?/],
    [['deploy', '--env', 'mini', '--follow', 'strage'], /There is no service "strage", did you mean "storage"\?/],
    [['attach', '--env', 'mini', '--follow', 'strage'], /There is no service "strage", did you mean "storage"\?/],
    [['deploy', '--env', 'mini', '--follow', 'storage', '--detach'], /nothing to --follow/],
    [['plan', '--env', 'mini', '--only', 'strage'], /There is no service "strage", did you mean "storage"\?/],
    [['plan', '--out', '/dev/null/plan.json'], /\/dev\/null\/plan\.json cannot be written/],
    [
      ['deploy', '--plan', '/nowhere/plan.json'],
      /The plan \/nowhere\/plan\.json cannot be read[^]*npm run ananta -- plan --env sandbox --out/,
    ],
    [
      ['deploy', '--env', 'mini', '--plan', 'x.json', '--image', 'api=1'],
      /--image cannot be given together with --plan/,
    ],
    [['rbac', 'show', '--identity', 'root'], /Allowed choices are installer, deployer, drift, viewer, approver/],
    [['graph', '--format', 'png'], /Allowed choices are mermaid, dot, svg/],
    [['graph', '--format', 'dot', '--out', '/nowhere/at/all.dot'], /\/nowhere\/at\/all\.dot cannot be written/],
    [['notify', 'test', '--env', 'mini'], /The environment "mini" tells nobody: notify in its file names no target/],
    [['notify', 'test', '--env', 'mini', '--target', 'ops'], /names no target "ops"/],
    [['notify', 'retry', '--env', 'mini'], /It needs either ids, or --all/],
    [['notify', 'drop', '3f2a9c01', '--all', '--env', 'mini'], /It needs either ids, or --all/],
    [
      [
        'adopt',
        '--env',
        'mini',
        '--from',
        '/nowhere/state.json',
        '--override-freeze',
        'the old platform is switched off',
      ],
      /--from changes nothing, and reads everything: it does not go with --override-freeze/,
    ],
    [['rotate', '--env', 'mini'], /Rotate what\? Name a path, or say --all/],
    [['rotate', 'database/main', '--all', '--env', 'mini'], /Either "database\/main" or --all/],
    [['rotate', 'database/main', 'pasword', '--env', 'mini'], /has no key "pasword", did you mean "password"\?/],
    [['rotate', 'database/mian', '--env', 'mini'], /There is no secret path "database\/mian", did you mean/],
    [
      ['rotate', 'auth/admin', 'admin-password', '--env', 'mini'],
      /Rotation of auth\/admin admin-password is not known to the catalog/,
    ],
    [['rotate', 'apps/api', 'mail-api-key', '--env', 'mini'], /a third party issues it, and "secrets set" takes/],
    [['rotate', '--all', '--older-than', '0d', '--env', 'mini'], /"0d" is no age: expected days or hours/],
    [['rotate', '--all', '--plan', 'x.json', '--env', 'mini'], /neither a path nor --all/],
    [['plan', '--env', 'mini', '--secret', 'database/main'], /--secret belongs to the plan of a rotation of secrets/],
    [['logs'], /Missing required argument 'what'/],
    [['logs', 'wrker'], /There is no log of "wrker", did you mean "worker"\?/],
    [['logs', 'worker'], /There is no log of worker for "sandbox" on this machine/],
    [['logs', 'worker', '--lines', 'many'], /--lines many: expected a whole number/],
    [['logs', 'helm'], /Helm's log of which service\?/],
    [['logs', 'helm', 'strage', '--env', 'mini'], /There is no service "strage", did you mean "storage"\?/],
    [
      ['secrets', 'get', 'auth/admni', 'admin-password', '--env', 'mini'],
      /There is no secret path "auth\/admni", did you mean "auth\/admin"\?/,
    ],
    [['secrets', 'get', 'auth/admin', 'admin-password', '--env', 'mini'], /on a terminal only/],
    [
      ['secrets', 'set', 'apps/api', 'mail-api-kye', '--env', 'mini'],
      /has no key "mail-api-kye", did you mean "mail-api-key"\?/,
    ],
    [
      ['secrets', 'set', 'auth/admin', 'admin-password', '--env', 'mini'],
      /admin-password of secret\/auth\/admin is not supplied \(generated once\)/,
    ],
    [
      ['secrets', 'import', '--give-up', 'auth', '--env', 'mini'],
      /--give-up auth: no service of that name keeps data that need a value of Vault/,
    ],
    [['secrets', 'import', '--give-up', 'databse', '--env', 'mini'], /did you mean "database"\?/],
    [['secrets', 'import', '--file', '/nowhere/values.json'], /--file \/nowhere\/values\.json cannot be read/],
    [['secrets', 'import', '--confirm', 'staging'], /--confirm staging does not name the environment "sandbox"/],
    [['up', '--env', 'staging'], /There is nothing to start: engine and cluster of "staging" are external/],
    [['down', '--env', 'staging'], /There is nothing to stop/],
    [['attach'], /not running\. Start it with: npm run ananta -- up --env sandbox/],
    [['verify'], /not running\. Start it with: npm run ananta -- up --env sandbox/],
    [['worker', '--env', 'stagin'], /there is no environment "stagin", did you mean "staging"\?/],
  ];
  for (const [args, says] of CASES) {
    test(args.join(' '), async () => {
      const { code, stdout, stderr } = await at.run(args);
      assert.match(stderr, says);
      assert.equal(code, 3);
      assert.equal(stdout, '');
      assert.deepEqual(await at.state(), []);
    });
  }

  test('secrets import: bytes that no variable can hold are named without the value', async () => {
    const file = join(at.folder, 'values.json');
    await writeFile(file, JSON.stringify({ 'auth/admin': { 'admin-password': 'hunter\0two' } }));
    const { code, stderr } = await at.run(['secrets', 'import', '--file', file, '--env', 'mini']);
    assert.equal(code, 3);
    assert.match(stderr, /the value of auth\/admin admin-password holds a NUL byte/);
    assert.doesNotMatch(stderr, /hunter/);
    assert.deepEqual(await at.state(), []);
  });

  test('a process says the same, and ends with that code', async () => {
    const args = ['deploy', '--env', 'sandbx'];
    assert.deepEqual(await at.start(args).done, await at.run(args));
  });
});

describe('environment files', { concurrency: 2 }, () => {
  const CASES: [what: string, yaml: string, says: RegExp][] = [
    ['broken YAML', 'description: [a\ncluster: {', /mine\.yaml: is not valid YAML/],
    [
      'an unknown key',
      externalEnvironment({ more: 'replica: {default: 2}' }),
      /mine\.yaml: replica: unknown key, did you mean "replicas"\?/,
    ],
    ['a missing key', 'description: x', /mine\.yaml: cluster/],
    [
      'an unknown service',
      externalEnvironment({ more: 'platform: mini\nreplicas: {services: {strage: 2}}' }),
      /replicas\.services\.strage: there is no service "strage", did you mean "storage"\?/,
    ],
    ['a file that extends nothing', 'extends: basis\ndescription: x', /extends: there is no file basis\.yaml/],
  ];
  for (const [what, yaml, says] of CASES) {
    test(what, async () => {
      const at = await workspace();
      try {
        await at.environment('mine', yaml);
        const { code, stdout, stderr } = await at.run(['deploy', '--env', 'mine']);
        assert.match(stderr, says);
        assert.equal(code, 3);
        assert.equal(stdout, '');
        assert.deepEqual(await at.state(), []);
      } finally {
        await at.remove();
      }
    });
  }
});

describe('external parts that are not there', () => {
  let at: Workspace;
  before(async () => (at = await workspace()));
  after(() => at.remove());

  test('no kubeconfig', async () => {
    await at.environment('mine', externalEnvironment({ kubeconfig: '/nowhere/kubeconfig' }));
    const { code, stderr } = await at.run(['deploy', '--env', 'mine']);
    assert.match(stderr, /The kubeconfig \/nowhere\/kubeconfig does not exist/);
    assert.equal(code, 3);
  });

  test('no such context', async () => {
    const kubeconfig = join(at.folder, 'other.kubeconfig');
    await writeFile(kubeconfig, kubeconfigFor('https://127.0.0.1:1', 'other'));
    await at.environment('mine', externalEnvironment({ kubeconfig }));
    const { code, stderr } = await at.run(['deploy', '--env', 'mine']);
    assert.match(stderr, /has no context "stage" \(it has: other\)\. Correct cluster\.context/);
    assert.equal(code, 3);
  });

  test('a cluster that does not answer', async () => {
    const kubeconfig = join(at.folder, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigFor('http://127.0.0.1:1'));
    await at.environment('mine', externalEnvironment({ kubeconfig }));
    const { code, stdout, stderr } = await at.run(['deploy', '--env', 'mine', '--json']);
    assert.match(stderr, /The cluster of "mine" \(http:\/\/127\.0\.0\.1:1\) could not be asked who it is/);
    assert.equal(code, 3);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(lines.length, 1);
    assert.deepEqual([lines[0]?.['type'], lines[0]?.['exitCode'], lines[0]?.['environment']], ['error', 3, 'mine']);
  });

  test('an engine that does not answer', async () => {
    const api = await startFakeApi();
    try {
      const kubeconfig = join(at.folder, 'answering.kubeconfig');
      await writeFile(kubeconfig, kubeconfigFor(api.address));
      await at.environment('mine', externalEnvironment({ kubeconfig }));
      const { code, stderr } = await at.run(['deploy', '--env', 'mine']);
      assert.match(
        stderr,
        /The engine \(Temporal\) at 127\.0\.0\.1:1, namespace "deployer", could not be used[^]*Check engine\.address[^]*environments\/mine\.yaml/,
      );
      assert.equal(code, 3);
      assert.deepEqual(await at.state(), []);
    } finally {
      api.close();
    }
  });

  test('where everything was told, nobody is needed who tells it again', async () => {
    const none = { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: [] };
    const api = await startFakeApi(undefined, undefined, { '/api/v1/namespaces/ananta-system/configmaps': none });
    try {
      const kubeconfig = join(at.folder, 'told.kubeconfig');
      await writeFile(kubeconfig, kubeconfigFor(api.address));
      await at.environment('mine', externalEnvironment({ kubeconfig }));
      const retried = await at.run(['notify', 'retry', '--all', '--env', 'mine']);
      exits(retried, 0);
      assert.match(retried.stdout, /Everything that was to be told on mine was told/);
    } finally {
      api.close();
    }
  });
});
