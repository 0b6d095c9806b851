// Real: a deployment with a migration that cannot be taken back, on PostgreSQL and Flyway in real pods; data written
// since; the way back with the database as it was, killed once in the middle of putting it back.
import assert from 'node:assert/strict';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildImages, DATABASE_RECIPES } from '../images/index.ts';
import { TAG_WITH_TOOLS } from '../images/recipes/postgres.ts';
import { readConfig } from '../../src/config.ts';
import { miniWith } from '../support/mini.ts';
import type { CliRun } from '../support/programs/command.ts';
import {
  createSandbox,
  failuresOf,
  MINI,
  type ResultLine,
  resultOf,
  type Sandbox,
} from '../support/sandbox/sandbox.ts';
import { ask } from './checks/databases.ts';
import { eventually, type Platform, platformOf } from './support/platform.ts';

const KEPT = ['vault', 'database', 'schema'];
const NO_RETURN = 'V2__drop_legacy_name.sql';
/** Restoring one row takes a moment, so that there is a middle to be killed in. */
const SLOW = `CREATE FUNCTION public.slowly(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT pg_sleep(0.02) IS NOT NULL';
INSERT INTO account (email, legacy_name) SELECT n || '@before', 'name ' || n FROM generate_series(1, 100) n;
ALTER TABLE account ADD CHECK (public.slowly(id)) NOT VALID;`;

describe('the way back over a point of no return, in real pods', { concurrency: 1 }, () => {
  let sandbox: Sandbox;
  let folder: string;
  let platform: Platform;
  let migration: string;
  let key: string;

  before(async () => {
    const images = await buildImages(readConfig(), DATABASE_RECIPES);
    folder = await mkdtemp(join(tmpdir(), 'ananta-restore-'));
    key = join(folder, 'backup-key.txt');
    const small = await miniWith((description) => {
      delete description.realm;
      delete description.prometheus;
      Object.assign(description, {
        bucketSets: [],
        services: description.services.filter(({ name }) => KEPT.includes(name)),
        secretPaths: description.secretPaths?.filter(({ path }) => path.startsWith('database/')),
      });
    }, folder);
    migration = join(small, 'helm', 'migrations', 'schema', NO_RETURN);
    await rename(migration, join(folder, NO_RETURN));
    sandbox = await createSandbox({
      ...MINI,
      platform: small,
      verification: {},
      cluster: { embedded: { nodes: 1, realNode: { services: ['database', 'schema'] } } },
      images: { tags: { database: TAG_WITH_TOOLS, 'database-roles': TAG_WITH_TOOLS } },
      drift: { mode: 'off' },
    });
    const made = await sandbox.command(['backup', 'key', '--out', key, '--json']);
    const { recipient } = JSON.parse(made.stdout) as { recipient: string };
    await sandbox.configure({
      platform: small,
      backup: { recipients: [recipient], to: join(folder, 'checkpoints'), keep: 2 },
    });
    const up = await sandbox.cli(['up']);
    assert.equal(up.code, 0, up.stderr);
    const imported = await sandbox.cli(['node', 'import', images.archive]);
    assert.equal(imported.code, 0, imported.stderr);
    platform = await platformOf(sandbox);
  });
  after(async () => {
    await sandbox?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const succeeded = (run: CliRun): ResultLine => {
    const result = resultOf(run);
    assert.equal(result.outcome, 'succeeded', failuresOf(run));
    return result;
  };
  /** As its owner, whose password counts. */
  const sql = async (text: string): Promise<string> => {
    const { password = '' } = await platform.secret('data', 'database/main');
    return ask(platform, 'database', { database: 'main', user: 'main', password }, text);
  };
  const databases = async (): Promise<string[]> => {
    const names = "SELECT datname FROM pg_database WHERE datname LIKE 'main%' ORDER BY datname";
    return (await sql(names)).split('\n');
  };
  const back = ['rollback', '--json', '--restore', '--confirm'];

  test('the rows are as they were, whatever was killed on the way; what was written since is kept aside', async () => {
    succeeded(await sandbox.look(['deploy', '--json']));
    await sql(SLOW);

    await rename(join(folder, NO_RETURN), migration);
    const deployed = await sandbox.look(['deploy', '--json']);
    succeeded(deployed);
    const list = JSON.parse((await sandbox.look(['checkpoint', 'list', '--json'])).stdout) as {
      database: string;
      before: string[];
      dump?: { bytes: number };
    }[];
    assert.deepEqual(
      list.map(({ database, before: files, dump }) => [database, files, (dump?.bytes ?? 0) > 1000]),
      [['main', [NO_RETURN], true]],
      'dumped in the pod, right before the Job',
    );
    await assert.rejects(sql('SELECT legacy_name FROM account'), /does not exist/, 'the migration has run');
    await sql("INSERT INTO account (email) VALUES ('one@since'), ('two@since')");

    const refused = await sandbox.look(['rollback', '--json']);
    assert.equal(refused.code, 3, refused.stdout);

    // Killed while the dump is restored beside the live database.
    const killed = sandbox.start([...back, sandbox.name, '--identity', key]);
    await eventually('the dump is being restored', async () =>
      (await databases()).some((name) => name.startsWith('main_checkpoint_')) ? true : undefined,
    );
    killed.kill('SIGKILL');
    await killed.done.catch(() => undefined);
    assert.equal(await sql('SELECT count(*) FROM account'), '102', 'the live one is as it was');

    succeeded(await sandbox.look([...back, sandbox.name, '--identity', key]));
    assert.equal(
      await sql("SELECT count(*) || ' ' || min(legacy_name) || ' ' || max(email) FROM account"),
      '100 name 1 9@before',
    );
    const [live, aside, ...more] = await databases();
    assert.deepEqual([live, aside?.startsWith('main_before_restore_'), more], ['main', true, []], 'no scratch is left');
    assert.equal(await sql('SELECT max(version) FROM flyway_schema_history'), '1', 'Flyway goes on from there');
    // Its owner writes as before, by the same password and rights.
    await sql("INSERT INTO account (email) VALUES ('three@after')");

    const audit = JSON.parse((await sandbox.look(['audit', '--json'])).stdout) as { operation: string }[];
    assert.deepEqual(
      audit.map(({ operation }) => operation),
      ['rollback', 'checkpoint restore', 'deploy', 'deploy'],
    );
  });
});
