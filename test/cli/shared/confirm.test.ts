/** A protected environment asks for its name: at a real terminal, which `script` of util-linux brings along. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readConfig } from '../../../src/config.ts';
import { writeFile } from 'node:fs/promises';
import { OWNER_PATH, ownerRecord } from '../../support/owner.ts';
import { exits, externalEnvironment, kubeconfigFor, startFakeApi, type Workspace, workspace } from '../run-cli.ts';

const SCRIPT = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path));
/** What a protected environment has to say of its Vault. */
const GUARDED = [
  'protected: true',
  'vault: {replicas: 3, tls: {secret: vault-tls}, seal: {type: awskms, parameters: {region: r, kms_key_id: k}}}',
].join('\n');
let place: Workspace;
before(async () => {
  place = await workspace();
  const kubeconfig = join(place.folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigFor('http://127.0.0.1:1'));
  await place.environment('stage', externalEnvironment({ kubeconfig, more: GUARDED }));
});
after(async () => {
  await place.remove();
});

/** @returns what the terminal showed, and the exit code */
function atTerminal(answer: string): Promise<{ shown: string; code: number | null }> {
  const config = readConfig();
  const line = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    join(config.repoRoot, 'src', 'cli', 'main.ts'),
    'deploy',
    '--env',
    'stage',
  ]
    .map((word) => `'${word}'`)
    .join(' ');
  const child = spawn(SCRIPT ?? 'script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    cwd: place.folder,
    env: {
      PATH: process.env['PATH'],
      HOME: place.folder,
      TERM: 'xterm',
      NO_COLOR: '1',
      ANANTA_STATE_DIR: join(place.folder, 'state'),
      ANANTA_CACHE_DIR: join(place.folder, 'cache'),
      ANANTA_ENVIRONMENTS_DIR: place.folder,
    },
  });
  let shown = '';
  let asked = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    if (asked || !shown.includes('Type stage to go on:')) return;
    asked = true;
    child.stdin.write(`${answer}\n`);
  });
  return new Promise((resolve) =>
    child.on('close', (code) => {
      resolve({ shown, code });
    }),
  );
}

describe('a protected environment, at a terminal', {
  skip: SCRIPT === undefined && 'needs script of util-linux',
}, () => {
  test('another name: refused, nothing was touched', async () => {
    const { shown, code } = await atTerminal('prod');
    assert.match(shown, /"stage" is a protected environment\. Type stage to go on:/);
    assert.match(shown, /refused, nothing was touched\s+The name did not match/);
    assert.equal(code, 3);
    assert.deepEqual(await place.state(), []);
  });

  test('its own name: goes on, as far as a cluster that does not answer', async () => {
    const { shown, code } = await atTerminal('stage');
    assert.match(shown, /Type stage to go on:/);
    assert.match(shown, /could not be asked who it is/);
    assert.doesNotMatch(shown, /did not match/);
    assert.equal(code, 3);
  });

  test('without a terminal its name has to be given', async () => {
    const unsaid = await place.run(['deploy', '--env', 'stage']);
    assert.deepEqual([unsaid.code, /Type stage/.test(unsaid.stdout + unsaid.stderr)], [3, false]);
    assert.match(
      unsaid.stderr,
      /deploying to it has to be confirmed, and there is no terminal to ask on[\s\S]*--confirm stage/,
    );
    const run = await place.run(['deploy', '--env', 'stage', '--confirm', 'stage']);
    assert.match(run.stderr, /could not be asked who it is/);
  });
});

describe('protected by the cluster alone', () => {
  test("an installation asks for its name, under the command's earlier name, too", async () => {
    const uid = '11111111-2222-3333-4444-555555555555';
    const [, record] = ownerRecord({ environment: 'mine', protected: true, cluster: { uid } });
    const [at, api] = await Promise.all([
      workspace(readConfig().cacheDir),
      startFakeApi(uid, undefined, { [OWNER_PATH]: record }),
    ]);
    try {
      const kubeconfig = join(at.folder, 'kubeconfig');
      await writeFile(kubeconfig, kubeconfigFor(api.address));
      await at.environment('mine', externalEnvironment({ kubeconfig }));
      const asked = await at.run(['install', '--env', 'mine']);
      exits(asked, 3);
      assert.match(
        asked.stderr,
        /"mine" is a protected environment, as the cluster says, whatever its file says now: an installation of it has to be confirmed[^]*--confirm mine/,
      );
      const other = await at.run(['bootstrap', '--env', 'mine', '--confirm', 'prod']);
      exits(other, 3);
      assert.match(other.stderr, /--confirm prod does not name the environment "mine"/);
      // As far as the engine, which does not answer.
      const named = await at.run(['install', '--env', 'mine', '--confirm', 'mine']);
      assert.doesNotMatch(named.stderr, /has to be confirmed/);
      assert.match(named.stderr, /engine/);
      assert.deepEqual(api.written, []);
    } finally {
      api.close();
      await at.remove();
    }
  });
});
