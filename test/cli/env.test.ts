/** `ananta env`: what is wrong with an environment's files, before anything is asked for over the network. */
import assert from 'node:assert/strict';
import { appendFile, cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { readConfig } from '../../src/config.ts';
import { externalEnvironment, kubeconfigFor, type Workspace, workspace } from './run-cli.ts';

let place: Workspace;
before(async () => {
  place = await workspace();
});
after(async () => {
  await place.remove();
});

describe('env', () => {
  test('check: every problem of every environment, by file and field; nothing is touched', async () => {
    const key = join(place.folder, 'anna.asc');
    await writeFile(key, 'no key');
    await place.environment('good', externalEnvironment({}));
    await place.environment('wrong', externalEnvironment({ more: 'domian: x' }));
    await place.environment(
      'lacking',
      externalEnvironment({
        more: `chartMirror: { url: "oci://r/c", ca: ${join(place.folder, 'ca.pem')} }\nvault: { keys: { store: file, publicKeys: [${key}] } }`,
      }),
    );
    const run = await place.run(['env', 'check', '--json']);
    assert.equal(run.code, 3);
    const { sound, environments } = JSON.parse(run.stdout) as {
      sound: boolean;
      environments: { name: string; problems: { file: string; field: string; message: string }[] }[];
    };
    const found = Object.fromEntries(
      environments.map(({ name, problems }) => [
        name,
        problems.map(({ file, field, message }) => `${file}: ${field}: ${message}`),
      ]),
    );
    assert.deepEqual([sound, Object.keys(found), found['good']], [false, ['good', 'lacking', 'wrong'], []]);
    assert.deepEqual(found['wrong'], ['wrong.yaml: domian: unknown key, did you mean "domain"?']);
    assert.match(
      found['lacking']!.join('\n'),
      /^lacking\.yaml: chartMirror\.ca: there is no file .*ca\.pem on this machine\nlacking\.yaml: vault\.keys\.publicKeys\.0: .*holds no OpenPGP public key/,
    );
    const lines = await place.run(['env', 'check', 'good', 'wrong', '--no-charts']);
    assert.deepEqual(
      [lines.code, lines.stdout],
      [3, '✔ good\n✘ wrong\n  wrong.yaml: domian: unknown key, did you mean "domain"?\n'],
    );
    // Without Helm on the machine the check says so, and does not download it.
    const without = await place.run(['env', 'check', 'good'], { env: { PATH: dirname(process.execPath) } });
    assert.equal(without.code, 0);
    assert.match(without.stdout, /✔ good\n  charts were not rendered: Helm is not on this machine yet/);
    assert.deepEqual(await place.state(), []);
  });

  test('check: encrypted histories need their keys, which are in one place', async () => {
    await place.environment('keyless', externalEnvironment({ more: 'encryption: {}' }));
    await place.environment(
      'twice',
      externalEnvironment({ more: 'encryption: { keysFile: /k.json, keysCommand: [sops, decrypt, k.json] }' }),
    );
    const run = await place.run(['env', 'check', 'keyless', 'twice', '--no-charts']);
    assert.equal(run.code, 3);
    assert.match(run.stdout, /keyless\.yaml: encryption: .*there are no keys: no file .*history-keys\.json/);
    assert.match(run.stdout, /twice\.yaml: encryption: says both keysFile and keysCommand/);
  });

  test('check: what charts and values make of resources, kubeconfigs, folders in place of files', async () => {
    const kubeconfig = join(place.folder, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigFor('https://127.0.0.1:1', 'other'));
    await place.environment(
      'low',
      externalEnvironment({ more: 'platform: mini\nresources: { auth: { limits: { memory: 64Mi } } }' }),
    );
    await place.environment('context', externalEnvironment({ kubeconfig }));
    await place.environment('folder', externalEnvironment({ more: `chartLock: ${place.folder}` }));
    const run = await place.run(['env', 'check', 'low', 'context', 'folder']);
    assert.equal(run.code, 3);
    assert.match(
      run.stdout,
      /low\.yaml: resources\.auth\.requests\.memory: together with .*: 1Gi is more than the limit of 64Mi/,
    );
    assert.match(run.stdout, /context\.yaml: cluster: The kubeconfig .* has no context "stage" \(it has: other\)/);
    assert.match(run.stdout, /folder\.yaml: chartLock: .* is a folder, not a file/);
  });

  test('check: what Kubernetes would refuse of the rendered charts; publishers charts that are not here are named', async () => {
    const tools = await workspace(readConfig().cacheDir);
    try {
      const { repoRoot } = readConfig();
      await cp(join(repoRoot, 'platforms', 'mini'), join(tools.folder, 'mini'), { recursive: true });
      await appendFile(join(tools.folder, 'mini/helm/values/web.yaml'), 'podLabels: {team: "our team"}\n');
      await tools.environment('own', `${externalEnvironment({})}\nplatform: ${join(tools.folder, 'mini')}`);
      const own = await tools.run(['env', 'check', 'own']);
      assert.equal(own.code, 3, own.stderr);
      assert.match(
        own.stdout,
        /^✘ own\n  own\.yaml: release web: Deployment apps\/web: spec\.template\.metadata\.labels\.team: "our team" is no value of a label[^\n]*\n$/,
      );
      // A tools cache that holds Helm, and no charts.
      const cache = join(tools.folder, 'cache');
      await mkdir(join(cache, 'tools'), { recursive: true });
      await symlink(join(readConfig().cacheDir, 'tools', 'helm'), join(cache, 'tools', 'helm'));
      await tools.environment('theirs', externalEnvironment({}).replace('charts: bundled', 'charts: upstream'));
      const theirs = await tools.run(['env', 'check', 'theirs'], { env: { ANANTA_CACHE_DIR: cache } });
      assert.equal(theirs.code, 0, theirs.stdout);
      assert.match(theirs.stdout, /^✔ theirs\n  not rendered, since their charts are not on this machine: argo-cd/);
      assert.match(theirs.stdout, /charts pull --env theirs fetches them/);
    } finally {
      await tools.remove();
    }
  });

  test('check names what is there when an environment does not exist', async () => {
    const run = await place.run(['env', 'check', 'goood']);
    assert.deepEqual([run.code, /there is no environment "goood", did you mean "good"\?/.test(run.stdout)], [3, true]);
  });

  test('show: the file with all that it extends, and every default', async () => {
    await place.environment('more', 'extends: good\ndescription: on top\nvault: { replicas: 3 }\n');
    const run = await place.run(['env', 'show', '--env', 'more']);
    const shown = parse(run.stdout) as {
      description: string;
      vault: { replicas: number; keys: object };
      helm: { timeoutSeconds: number };
    };
    assert.deepEqual(
      [shown.description, shown.vault.replicas, shown.vault.keys, shown.helm.timeoutSeconds],
      ['on top', 3, { store: 'file' }, 300],
    );
    assert.deepEqual(JSON.parse((await place.run(['env', 'show', '--env', 'more', '--json'])).stdout), shown);
  });
});
