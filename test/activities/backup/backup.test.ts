/** Backups of the deployer's own state: made, read, and put back over a loss of each part. */
import assert from 'node:assert/strict';
import { copyFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { waitUntil } from '../../../bootstrap/process/wait.ts';
import { createActivities } from '../../../src/activities/index.ts';
import { createVaultClient, readKv, writeKv } from '../../../src/clients/vault/index.ts';
import { type KubernetesObject, paths } from '../../../src/clients/kubernetes/index.ts';
import type { Activities } from '../../../src/contract/activities.ts';
import type { BackupPart } from '../../../src/contract/backup.ts';
import { RECORDS_NAMESPACE } from '../../../src/contract/names.ts';
import { IdentityError, makeKeyPair, readIdentities } from '../../../src/effects/backup/age.ts';
import { DamagedBackupError, readArchive } from '../../../src/effects/backup/archive.ts';
import { type BackupDone, makeBackup } from '../../../src/effects/backup/backup.ts';
import { folderPlace } from '../../../src/effects/backup/place/index.ts';
import { pruneBackups } from '../../../src/effects/backup/prune.ts';
import { restoreRecords } from '../../../src/effects/backup/restore-records.ts';
import { openAgain, restoreVault } from '../../../src/effects/backup/restore-vault.ts';
import { surveyForRestore } from '../../../src/effects/backup/survey.ts';
import { keepCheckpoint, readCheckpoints } from '../../../src/effects/checkpoint/record.ts';
import { updateDriftState } from '../../../src/effects/drift/state.ts';
import { commandScope } from '../../../src/effects/effect.ts';
import { keepAuditRecord } from '../../../src/effects/records/audit.ts';
import { getSecret } from '../../../src/effects/secrets.ts';
import { configureVault } from '../../../src/effects/vault/configure.ts';
import { createVersion, readVersions } from '../../../src/effects/versions/store.ts';
import { planRestore, type RestorePlan } from '../../../src/plan/backup/restore.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { fakeVault } from '../../support/fakes/vault.ts';
import { OWNER_PATH, ownerIn } from '../../support/owner.ts';
import { testScope } from '../../support/scope.ts';
import { sampleVersion } from '../../support/versions.ts';

const { identity, recipient } = await makeKeyPair();
const other = await makeKeyPair();
const signal = new AbortController().signal;
const scope = commandScope(signal);
const at = new Date('2026-11-30T22:15:00Z');

/** A platform that runs, with two versions, an acceptance and an operation on record. */
async function deployed({ clients, run }: FakeParts): Promise<void> {
  const activities = createActivities(clients, () => testScope());
  await activities.openVault(run);
  await activities.configureVault(run);
  await activities.seedVault(run);
  for (const number of [1, 2]) await createVersion(clients.kubernetes, sampleVersion(number));
  const acceptance = { key: 'k', valueDigest: 'd', what: 'a field', reason: 'wanted', by: 'a@b', at: at.toISOString() };
  await updateDriftState(clients.kubernetes, 'sandbox', (state) => ({ ...state, acceptances: [acceptance] }));
  await keepCheckpoint(clients.kubernetes, {
    environment: 'sandbox',
    at: at.toISOString(),
    run: 'run-1',
    by: 'a@b',
    server: 'db',
    database: 'main',
    before: [],
    seconds: 1,
  });
  await keepAuditRecord(clients.kubernetes, {
    at: at.toISOString(),
    environment: 'sandbox',
    cluster: 'uid',
    operation: 'deploy',
    requestedBy: 'a@b',
    planDigest: 'p',
    outcome: 'succeeded',
    seconds: 1,
    imageTags: {},
    workflowId: 'w',
    runId: 'run-1',
  });
}

function backUp(parts: FakeParts, more: { only?: BackupPart; to?: string } = {}): Promise<BackupDone> {
  const { folder, clients } = parts;
  return makeBackup(clients, { recipients: [recipient], to: join(folder, 'backups/'), by: 'a@b', at, ...more });
}

async function planOf({ clients }: FakeParts, path: string, keysGiven = false): Promise<RestorePlan> {
  const { seen } = await surveyForRestore(clients, keysGiven, signal);
  return planRestore(await readArchive(path, [identity]), seen, undefined);
}

async function putBack(parts: FakeParts, path: string): Promise<string[]> {
  const backup = await readArchive(path, [identity]);
  const { seen, found } = await surveyForRestore(parts.clients, false, signal);
  const { records } = planRestore(backup, seen, 'records');
  return restoreRecords(parts.clients, records, backup.records, found, signal);
}

const records = ({ cluster }: FakeParts): string[] =>
  [...cluster.objects.keys()]
    .filter((path) => path.startsWith(`${paths.configMaps(RECORDS_NAMESPACE)}/`))
    .map((path) => path.split('/').at(-1)!)
    .sort();

describe('a backup', () => {
  test('is one file for its owner, holds every record and the snapshot, and no value in clear', async () => {
    await withFakeClients(async (parts) => {
      await deployed(parts);
      const { path, bytes, manifest } = await backUp(parts);
      assert.equal(path, join(parts.folder, 'backups', 'ananta-sandbox-20261130T221500Z.tar.age'));
      const found = await stat(path);
      assert.deepEqual([found.mode & 0o777, found.size], [0o600, bytes]);
      assert.deepEqual(await readdir(join(parts.folder, 'backups')), [path.split('/').at(-1)]);
      const read = await readArchive(path, [identity]);
      assert.deepEqual(read.manifest, manifest);
      assert.deepEqual(read.records.map(({ metadata }) => metadata.name).sort(), records(parts));
      assert.deepEqual(read.manifest.records?.map(({ kind }) => kind).sort(), [
        'audit',
        'checkpoint',
        'drift',
        'owner',
        'version',
        'version',
      ]);
      assert.equal(read.manifest.vault?.id, parts.vault.id);
      assert.ok(Object.keys(read.manifest.vault.paths).length > 0);
      assert.equal(read.shares, undefined, 'keys that open Vault are in no backup');
      assert.ok((await readFile(path)).subarray(0, 22).toString().startsWith('age-encryption.org/v1'));
    });
  });

  test('that is cut off, changed, or for another key is refused', async () => {
    await withFakeClients(async (parts) => {
      await deployed(parts);
      const { path, bytes } = await backUp(parts);
      await assert.rejects(readArchive(path, [other.identity]), IdentityError);
      await assert.rejects(readArchive(`${path}.not`, [identity]), DamagedBackupError);
      const whole = await readFile(path);
      whole[whole.length - 40]! ^= 1;
      await writeFile(path, whole);
      await assert.rejects(readArchive(path, [identity]), /no whole backup/);
      whole[whole.length - 40]! ^= 1;
      await writeFile(path, whole);
      await readArchive(path, [identity]);
      await truncate(path, bytes - 100);
      await assert.rejects(readArchive(path, [identity]), /no whole backup/);
      await writeFile(join(parts.folder, 'key'), 'a password\n');
      await assert.rejects(readIdentities(join(parts.folder, 'key')), (error: Error) => {
        assert.ok(error instanceof IdentityError && !error.message.includes('password'));
        return true;
      });
    });
  });

  test('that fails leaves the one before, and nothing half', async () => {
    await withFakeClients(async (parts) => {
      await deployed(parts);
      const { path } = await backUp(parts);
      const before = await readFile(path);
      parts.vault.policies.set('ananta-deployer', '# of an earlier version');
      await assert.rejects(backUp(parts, { to: path }), /next deployment writes it/);
      parts.vault.seal();
      parts.clients.vault.keys.read = () => Promise.resolve(undefined);
      await assert.rejects(backUp(parts, { to: path }), /sealed/);
      assert.deepEqual(await readFile(path), before);
      assert.deepEqual(await readdir(join(parts.folder, 'backups')), [path.split('/').at(-1)]);
    });
  });

  test('is taken again while somebody writes, and holds what its manifest says', async () => {
    await withFakeClients(async (parts) => {
      await deployed(parts);
      const key = [...parts.vault.kv.keys()].find((path) => !path.startsWith('ananta-deploy/'));
      const { stream } = parts.vault;
      let writes = 1;
      parts.vault.stream = async (request) => {
        const answer = await stream(request);
        if (writes-- > 0)
          parts.vault.kv.get(key!)!.versions.push({ data: {}, created_time: at.toISOString(), deletion_time: '' });
        return answer;
      };
      const { manifest } = await backUp(parts);
      assert.equal(manifest.vault?.paths[key!], 2);
    });
  });

  test('older ones go by their number, those of others stay', async () => {
    await withFakeClients(async (parts) => {
      await deployed(parts);
      const folder = join(parts.folder, 'backups');
      for (const hour of [1, 2, 3])
        await makeBackup(parts.clients, {
          recipients: [recipient],
          to: `${folder}/`,
          only: 'records',
          by: 'a@b',
          at: new Date(Date.UTC(2026, 0, 1, hour)),
        });
      await writeFile(join(folder, 'ananta-sandbox-2-20250101T010000Z.tar.age'), '');
      assert.deepEqual(await pruneBackups(folderPlace(folder), 'sandbox', 2), {
        pruned: ['ananta-sandbox-20260101T010000Z.tar.age'],
      });
      assert.deepEqual((await readdir(folder)).sort(), [
        'ananta-sandbox-2-20250101T010000Z.tar.age',
        'ananta-sandbox-20260101T020000Z.tar.age',
        'ananta-sandbox-20260101T030000Z.tar.age',
      ]);
    });
  });

  test('by itself: as the file says now, the same file however often it is tried; not into a pod that goes', async () => {
    await withFakeClients(async (parts) => {
      await deployed(parts);
      const { environmentsDir } = parts.clients.config;
      const folder = join(parts.folder, 'backups');
      const clients = { ...parts.clients, config: { ...parts.clients.config, environmentsDir: parts.folder } };
      const write = async (more: string): Promise<void> => {
        await copyFile(join(environmentsDir, '_base.yaml'), join(parts.folder, '_base.yaml'));
        const own = await readFile(join(environmentsDir, 'sandbox.yaml'), 'utf8');
        await writeFile(join(parts.folder, 'sandbox.yaml'), `${own}\n${more}`);
      };
      const make = (config = clients.config): ReturnType<Activities['makeBackup']> =>
        createActivities({ ...clients, config }, () => testScope()).makeBackup({
          run: parts.run,
          at: '2026-11-30T02:30:00.000Z',
        });
      await write('');
      assert.ok('skipped' in (await make()));
      await write(`backup: {recipients: [${recipient}], to: ${folder}, cron: '30 2 * * *', keep: 1}`);
      const done = await make();
      assert.deepEqual(await make().then((again) => 'file' in again && again.file), 'file' in done && done.file);
      assert.deepEqual(await readdir(folder), ['ananta-sandbox-20261130T023000Z.tar.age']);
      const pod = { uid: 'pod', healthPort: 1, graceSeconds: 1, engineAccessDir: '' };
      await assert.rejects(
        make({ ...clients.config, pod: { ...clients.config.pod, ...pod } as never }),
        /backup\.claim/,
      );
    });
  });
});

describe('records put back', () => {
  test('over a lost namespace are all there again; a second time, and after a cut, nothing is done twice', async () => {
    await withFakeClients(async (parts) => {
      await deployed(parts);
      const { path } = await backUp(parts);
      const before = new Map(parts.cluster.objects);
      for (const name of records(parts)) parts.cluster.objects.delete(paths.configMap(RECORDS_NAMESPACE, name));
      const { create } = parts.clients.kubernetes;
      let calls = 0;
      parts.clients.kubernetes.create = (...args) =>
        (calls += 1) > 2 ? Promise.reject(new Error('killed')) : create(...args);
      await assert.rejects(putBack(parts, path), /killed/);
      assert.equal(parts.cluster.objects.has(OWNER_PATH), false, 'the owner comes last');
      parts.clients.kubernetes.create = create;
      assert.equal((await putBack(parts, path)).length, 4);
      assert.equal((await readCheckpoints(parts.clients.kubernetes, 'sandbox')).length, 1);
      for (const name of records(parts)) {
        const data = (objects: ReadonlyMap<string, KubernetesObject>): unknown =>
          objects.get(paths.configMap(RECORDS_NAMESPACE, name))?.['data'];
        assert.deepEqual(data(parts.cluster.objects), data(before), name);
      }
      assert.equal(ownerIn(parts.cluster.objects)?.environment, 'sandbox');
      assert.deepEqual((await readVersions(parts.clients.kubernetes, 'sandbox')).length, 2);
      assert.deepEqual(await putBack(parts, path), []);
    });
  });

  test('never go over newer ones by themselves', async () => {
    await withFakeClients(async (parts) => {
      await deployed(parts);
      const { path } = await backUp(parts);
      const name = 'version-sandbox-2';
      parts.cluster.objects.delete(paths.configMap(RECORDS_NAMESPACE, name));
      await createVersion(parts.clients.kubernetes, { ...sampleVersion(2), requestedBy: 'somebody@else' });
      const { needs, records: steps } = await planOf(parts, path);
      assert.deepEqual(
        needs.map(({ over }) => over),
        ['newer'],
      );
      assert.match(needs[0]!.why, /version-sandbox-2/);
      assert.deepEqual(
        steps.filter(({ action }) => action !== 'keep').map((step) => [step.name, step.action]),
        [[name, 'replace']],
      );
    });
  });
});

describe('Vault put back', () => {
  test('over newer secrets: said first, then they are as they were', async () => {
    await withFakeClients(async (parts) => {
      await deployed(parts);
      const [declared] = parts.clients.catalog.secretPaths;
      const { path: changed } = declared!;
      const key = declared!.keys[0]!.name;
      const before = await getSecret(parts.clients, changed, key, signal);
      const { path } = await backUp(parts);
      assert.equal((await planOf(parts, path)).vault.action, 'none');
      await parts.clients.vault.asDeployer(async (session) => {
        const entry = (await readKv(session, changed))!;
        await writeKv(session, changed, { ...entry.data, [key]: 'newer' }, entry.version);
      });
      const { vault, needs } = await planOf(parts, path);
      assert.deepEqual([vault.action, vault.lost, needs.map(({ over }) => over)], ['restore', [changed], ['newer']]);
      const { manifest } = await readArchive(path, [identity]);
      await restoreVault(
        parts.clients,
        { file: path, identities: [identity], wanted: manifest.vault!, run: parts.run },
        scope,
      );
      assert.equal(await getSecret(parts.clients, changed, key, signal), before);
      assert.equal((await planOf(parts, path)).vault.action, 'none');
    });
  });

  test('into another Vault: opened with the keys that were given, the others are put aside; goes on after a kill', async () => {
    await withFakeClients(async (parts) => {
      await deployed(parts);
      const { path } = await backUp(parts);
      const old = (await parts.clients.vault.keys.read())!;
      const { manifest } = await readArchive(path, [identity]);
      // A new cluster: an empty Vault with keys of its own, which was deployed alone.
      const vault = fakeVault();
      vault.keys = ['bmV3LW9uZQ==', 'bmV3LXR3bw==', 'bmV3LXRocmVl'];
      const clients = {
        ...parts.clients,
        vault: createVaultClient({
          connection: { ...parts.clients.connections.vault, keysFile: join(parts.folder, 'new', 'vault-keys.json') },
          kubernetes: parts.clients.kubernetes,
          tunnel: vault,
          redactor: parts.clients.redactor,
        }),
      };
      const elsewhere: FakeParts = { ...parts, clients, vault };
      await createActivities(clients, () => testScope()).openVault(parts.run);
      await configureVault(clients, parts.run, scope);
      const plan = await planOf(elsewhere, path);
      assert.deepEqual(
        plan.needs.map(({ over }) => over),
        ['another-vault'],
      );
      assert.match(plan.problems.join(), /--keys FILE/);
      assert.deepEqual((await planOf(elsewhere, path, true)).problems, []);
      const restore = { file: path, identities: [identity], wanted: manifest.vault!, keys: old, run: parts.run };
      // Killed after the snapshot was given, before anything was opened.
      const { state } = clients.vault;
      let looks = 0;
      clients.vault.state = () => ((looks += 1) > 1 ? Promise.reject(new Error('killed')) : state());
      await assert.rejects(restoreVault(clients, restore, scope), /killed/);
      clients.vault.state = state;
      await waitUntil('taken over', { timeoutMs: 60_000, intervalMs: 5 }, () =>
        Promise.resolve(vault.sealed ? true : undefined),
      );
      assert.equal((await planOf(elsewhere, path, true)).vault.action, 'finish');
      await openAgain(clients, restore, scope);
      await configureVault(clients, parts.run, scope, { anew: true });
      assert.equal((await planOf(elsewhere, path, true)).vault.action, 'none');
      assert.deepEqual((await clients.vault.keys.read())?.keys, old.keys);
      assert.equal((await readdir(join(parts.folder, 'new'))).filter((name) => name.endsWith('.old')).length, 1);
    });
  });

  test('that has lost its data with its volume: initialised for the purpose, opened with the keys that are kept', async () => {
    await withFakeClients(async (parts) => {
      await deployed(parts);
      const { path } = await backUp(parts);
      const { manifest } = await readArchive(path, [identity]);
      const keys = (await parts.clients.vault.keys.read())!;
      Object.assign(parts.vault, { initialized: false, sealed: true, id: 'an empty one', keys: ['ZW1wdHk='] });
      parts.vault.kv.clear();
      assert.match((await planOf(parts, path)).problems.join(), /--keys FILE/);
      assert.deepEqual((await planOf(parts, path, true)).problems, []);
      await restoreVault(
        parts.clients,
        { file: path, identities: [identity], wanted: manifest.vault!, keys, run: parts.run },
        scope,
      );
      assert.equal((await planOf(parts, path)).vault.action, 'none');
      assert.deepEqual((await parts.clients.vault.keys.read())?.keys, keys.keys);
    });
  });
});
