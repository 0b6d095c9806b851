/** `ananta env`: what is wrong with an environment's files, before anything is asked for over the network. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
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
    const lines = await place.run(['env', 'check', 'good', 'wrong']);
    assert.deepEqual(
      [lines.code, lines.stdout],
      [3, '✔ good\n✘ wrong\n  wrong.yaml: domian: unknown key, did you mean "domain"?\n'],
    );
    assert.equal((await place.run(['env', 'check', 'good'])).code, 0);
    assert.deepEqual(await place.state(), []);
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
