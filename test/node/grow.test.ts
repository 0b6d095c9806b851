/** A volume that grows below a PostgreSQL that runs and is written to: on a real node, with its own tools. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { buildImages } from '../images/index.ts';
import { pause } from '../images/recipes/pause.ts';
import { postgres } from '../images/recipes/postgres.ts';
import {
  createSandbox,
  failuresOf,
  MINI,
  type ResultLine,
  resultOf,
  type Sandbox,
} from '../support/sandbox/sandbox.ts';
import { ask } from './checks/databases.ts';
import { type Platform, platformOf } from './support/platform.ts';

const say = (text: string): void => {
  console.log(`# ${text}`);
};
const environment = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...MINI,
  cluster: { embedded: { nodes: 1, realNode: { services: ['database'] } } },
  drift: { mode: 'off' },
  ...more,
});

describe('a volume on a real node', { concurrency: 1 }, () => {
  let sandbox: Sandbox;
  let platform: Platform;
  let login: { database: string; user: string; password: string };

  before(async () => {
    const { archive } = await buildImages(readConfig(), [pause, postgres], say);
    sandbox = await createSandbox(environment());
    const up = await sandbox.cli(['up']);
    assert.equal(up.code, 0, up.stderr);
    const imported = await sandbox.cli(['node', 'import', archive]);
    assert.equal(imported.code, 0, imported.stderr);
    platform = await platformOf(sandbox);
    await deployed();
    const { password = '' } = await platform.secret('data', 'database/main');
    login = { database: 'main', user: 'main', password };
  });
  after(async () => {
    await sandbox?.close();
  });

  async function deployed(): Promise<ResultLine> {
    const run = await sandbox.look(['deploy', '--json', '--only', 'database', '--with-dependencies']);
    const result = resultOf(run);
    assert.equal(result.outcome, 'succeeded', failuresOf(run));
    return result;
  }
  const sql = (text: string): Promise<string> => ask(platform, 'database', login, text);
  const jsonOf = (kind: string, name: string, path: string): Promise<string> =>
    platform.kubectl(['get', kind, name, '--namespace', 'data', '--output', `jsonpath={${path}}`]);

  test('grows while rows are written: the same pod, the same volume, no write that failed', async () => {
    const seen = (): Promise<string[]> =>
      Promise.all([
        jsonOf('pod', 'database-0', '.metadata.uid'),
        jsonOf('pod', 'database-0', '.status.containerStatuses[0].restartCount'),
        jsonOf('pvc', 'data-database-0', '.spec.volumeName'),
      ]);
    const before = await seen();
    const set = await jsonOf('statefulset', 'database', '.metadata.uid');
    await sql('CREATE TABLE written (id int PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())');
    let writing = true;
    let written = 0;
    const writer = (async () => {
      while (writing) {
        await sql(`INSERT INTO written (id) VALUES (${written + 1})`);
        written += 1;
      }
    })();
    await sandbox.configure(environment({ storage: { sizes: { database: '2Gi' } } }));
    const result = await deployed();
    writing = false;
    await writer;
    say(`grown in ${result.seconds} s, ${written} rows written meanwhile`);
    assert.deepEqual(await seen(), before);
    assert.notEqual(await jsonOf('statefulset', 'database', '.metadata.uid'), set);
    assert.equal(await jsonOf('pvc', 'data-database-0', '.status.capacity.storage'), '2Gi');
    assert.equal(await jsonOf('pv', before[2] ?? '', '.spec.capacity.storage'), '2Gi');
    assert.ok(written > 3, `${written} rows`);
    assert.equal(await sql('SELECT count(*) FROM written'), String(written));
    // The StatefulSet that was made anew looks after the pod that it has adopted.
    await platform.kubectl(['delete', 'pod', 'database-0', '--namespace', 'data', '--wait=true']);
    await platform.kubectl(['rollout', 'status', 'statefulset/database', '--namespace', 'data', '--timeout=120s']);
    assert.equal(await sql('SELECT count(*) FROM written'), String(written));
  });
});
