/** What a restoration would do, by what the cluster and Vault hold: a table. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BackupManifest, backupManifestSchema, type KeptObject } from '../../../src/contract/backup.ts';
import { backupSchema } from '../../../src/environment/fields/backup.ts';
import { backupFileName, backupMoment, backupsToRemove } from '../../../src/plan/backup/names.ts';
import { planRestore, type SeenForRestore } from '../../../src/plan/backup/restore.ts';
import { ownerOfCluster } from '../../support/owner.ts';

const sum = { bytes: 1, sha256: 'a'.repeat(64) };
const record = (name: string, data: Record<string, string> = { version: '1' }): KeptObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'ananta-system', labels: {} },
  data,
});
const accepted = (...keys: string[]): Record<string, string> => ({
  'state.json': JSON.stringify({ acceptances: keys.map((key) => ({ key })), runs: [] }),
});
const records = [
  record('cluster-owner'),
  record('version-a-1'),
  record('drift-a', accepted('one')),
  record('audit-a-run'),
];
const manifest: BackupManifest = backupManifestSchema.parse({
  format: 'ananta-backup/1',
  environment: 'a',
  platform: 'ananta',
  cluster: { uid: 'here' },
  at: '2026-11-30T22:15:00Z',
  by: 'a@b',
  records: (['owner', 'version', 'drift', 'audit'] as const).map((kind, index) => ({
    kind,
    name: records[index]!.metadata.name,
    ...sum,
  })),
  vault: { id: 'V', version: '1', snapshot: sum, paths: { x: 2, y: 1 } },
});
const same: SeenForRestore = {
  clusterUid: 'here',
  owner: ownerOfCluster({ environment: 'a' }),
  records: new Map(records.map((one) => [one.metadata.name, one])),
  vault: { state: 'open', id: 'V', paths: { x: 2, y: 1 } },
  keysGiven: false,
};
const withRecords = (...changed: KeptObject[]): Pick<SeenForRestore, 'records'> => ({
  records: new Map([...records, ...changed].map((one) => [one.metadata.name, one])),
});

/** Actions that change something, Vault's, what has to be said in words, whether anything stands in the way. */
const cases: [string, Partial<SeenForRestore>, string[], string, string[], boolean][] = [
  ['all as in the backup', {}, [], 'none', [], false],
  [
    'records lost',
    { owner: undefined, records: new Map() },
    ['create', 'create', 'create', 'create'],
    'none',
    [],
    false,
  ],
  [
    'a version of another history',
    withRecords(record('version-a-1', { version: '2' })),
    ['replace'],
    'none',
    ['newer'],
    false,
  ],
  ['a run of the audit trail is never written over', withRecords(record('audit-a-run', {})), [], 'none', [], false],
  [
    'drift runs since, the same acceptances',
    withRecords(record('drift-a', accepted('two', 'one'))),
    [],
    'none',
    [],
    false,
  ],
  ['acceptances lost, drift has run since', withRecords(record('drift-a', accepted())), ['merge'], 'none', [], false],
  ['other acceptances', withRecords(record('drift-a', accepted('two'))), ['replace'], 'none', ['newer'], false],
  [
    'a secret older than in the backup',
    { vault: { state: 'open', id: 'V', paths: { x: 1 } } },
    [],
    'restore',
    [],
    false,
  ],
  ['a secret newer', { vault: { state: 'open', id: 'V', paths: { x: 3, y: 1 } } }, [], 'restore', ['newer'], false],
  [
    'a path that is new',
    { vault: { state: 'open', id: 'V', paths: { x: 2, y: 1, z: 1 } } },
    [],
    'restore',
    ['newer'],
    false,
  ],
  ['Vault knows another cluster', { vault: { state: 'open', id: 'V', paths: 'unknown' } }, [], 'finish', [], false],
  ['sealed', { vault: { state: 'sealed' } }, [], 'finish', [], false],
  ['an empty Vault, no keys', { vault: { state: 'uninitialized' } }, [], 'restore', [], true],
  [
    'an empty Vault, its old keys kept',
    { vault: { state: 'uninitialized' }, keysGiven: true },
    [],
    'restore',
    [],
    false,
  ],
  ['no Vault', { vault: { state: 'absent' } }, [], 'none', [], true],
  ["others' Vault", { vault: { state: 'external' } }, [], 'none', [], true],
  ['another Vault, no keys', { vault: { state: 'open', id: 'W', paths: {} } }, [], 'restore', ['another-vault'], true],
  [
    'another Vault, keys given',
    { vault: { state: 'open', id: 'W', paths: {} }, keysGiven: true },
    [],
    'restore',
    ['another-vault'],
    false,
  ],
  [
    'another cluster without records',
    { clusterUid: 'there', owner: undefined, records: new Map() },
    ['leave', 'create', 'create', 'create'],
    'none',
    ['another-cluster'],
    false,
  ],
];

describe('the plan of a restoration', () => {
  for (const [name, seen, actions, vault, needs, stuck] of cases)
    test(name, () => {
      const plan = planRestore({ manifest, records }, { ...same, ...seen }, undefined);
      assert.deepEqual(
        {
          actions: plan.records.map(({ action }) => action).filter((action) => action !== 'keep'),
          vault: plan.vault.action,
          needs: plan.needs.map(({ over }) => over),
          stuck: plan.problems.length > 0,
        },
        { actions, vault, needs, stuck },
      );
    });

  test('a part alone leaves the other', () => {
    const lost: SeenForRestore = { ...same, records: new Map(), vault: { state: 'open', id: 'V', paths: {} } };
    assert.equal(planRestore({ manifest, records }, lost, 'records').vault.action, 'none');
    assert.deepEqual(planRestore({ manifest, records }, lost, 'vault').records, []);
  });
});

describe('backups in a folder', () => {
  test('are named by environment and time, and only those of the environment go, the oldest first', () => {
    const name = backupFileName('a', new Date('2026-11-30T22:15:00.123Z'));
    assert.equal(name, 'ananta-a-20261130T221500Z.tar.age');
    assert.equal(backupMoment('a', name), '2026-11-30T22:15:00Z');
    const names = ['ananta-a-20260101T000000Z.tar.age', name, 'ananta-a-b-20260101T000000Z.tar.age', `${name}.partial`];
    assert.deepEqual(backupsToRemove('a', names, 1), ['ananta-a-20260101T000000Z.tar.age']);
    assert.deepEqual(backupsToRemove('a-b', names, 1), []);
  });
});

describe('backup of an environment', () => {
  const recipients = ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'];
  for (const [name, value, problem] of [
    ['for one key', { recipients }, undefined],
    ['by itself', { recipients, cron: '30 2 * * *', to: '/backups' }, undefined],
    ['by itself, nowhere', { recipients, cron: '30 2 * * *' }, /cron needs a folder/],
    ['on a claim', { recipients, claim: 'backups', to: '/backups' }, undefined],
    ['on a claim, in the checkout', { recipients, claim: 'backups', to: 'backups' }, /absolute/],
    ['at a time that is none', { recipients, cron: '2026-12-18T18:00', to: '/b' }, /five fields/],
    ['for nobody', { recipients: [] }, /recipients|>=1|small/i],
    ['for a private key', { recipients: ['AGE-SECRET-KEY-1ABC'] }, /public key of age/],
    ['for the same one twice', { recipients: [...recipients, ...recipients] }, /again/],
  ] as const)
    test(name, () => {
      const parsed = backupSchema.safeParse(value);
      if (problem === undefined) assert.equal(parsed.error, undefined);
      else assert.match(parsed.error?.message ?? '', problem);
    });
});
