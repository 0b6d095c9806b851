/** What a restoration would do, by what the cluster and Vault hold: a table. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BackupManifest, backupManifestSchema, type KeptObject } from '../../../src/contract/backup.ts';
import { backupSchema, checkpointsSchema } from '../../../src/environment/fields/backup/backup.ts';
import { bucketAddress, bucketSchema } from '../../../src/environment/fields/backup/bucket.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { backupFileName, backupMoment, backupsToRemove } from '../../../src/plan/backup/names.ts';
import { checkpointsKept, placeReferences, placeSettings } from '../../../src/plan/backup/places.ts';
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
  const credentials = { accessKey: { env: 'KEY' }, secretKey: { secret: { name: 'store', key: 'secret' } } };
  const bucket = { bucket: 'backups', credentials };
  for (const [name, value, problem] of [
    ['for one key', { recipients }, undefined],
    ['by itself', { recipients, cron: '30 2 * * *', to: '/backups' }, undefined],
    ['by itself, nowhere', { recipients, cron: '30 2 * * *' }, /cron needs a place/],
    ['on a claim', { recipients, claim: 'backups', to: '/backups' }, undefined],
    ['on a claim, in the checkout', { recipients, claim: 'backups', to: 'backups' }, /absolute/],
    ['at a time that is none', { recipients, cron: '2026-12-18T18:00', to: '/b' }, /five fields/],
    ['in a bucket', { recipients, cron: '30 2 * * *', to: bucket }, undefined],
    [
      'in a bucket of AWS, by its key service',
      {
        recipients,
        to: { ...bucket, region: 'eu-central-1', prefix: 'a/b/', encryption: { algorithm: 'aws:kms', key: 'k' } },
      },
      undefined,
    ],
    ['in a bucket, on a claim', { recipients, claim: 'backups', to: bucket }, /a bucket needs none/],
    ['in a bucket by its address', { recipients, to: 's3://backups/a' }, /not an address/],
    ['in a bucket that is none', { recipients, to: { ...bucket, bucket: 'B' } }, /name of a bucket/],
    ['in a bucket outside of its prefix', { recipients, to: { ...bucket, prefix: '/a' } }, /a path in the bucket/],
    ['with another key', { recipients, to: { ...bucket, encryption: { key: 'k' } } }, /aws:kms alone/],
    [
      'with a password in its address',
      { recipients, to: { ...bucket, endpoint: 'https://a:b@c' } },
      /no place for secrets/,
    ],
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

describe('places of backups and checkpoints', () => {
  const of = (settings: object): { backup: NonNullable<Environment['backup']> } => ({
    backup: backupSchema.parse({
      recipients: ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'],
      ...settings,
    }),
  });
  const bucket = { bucket: 'kept', credentials: { accessKey: { env: 'KEY' }, secretKey: { file: 'secret' } } };

  test('checkpoints go where backups go, unless they have a place of their own', () => {
    const folder = of({ to: '/backups', keep: 3 });
    assert.deepEqual(placeSettings(folder, 'checkpoint'), { to: '/backups', field: 'backup.to' });
    const own = { ...folder, checkpoints: checkpointsSchema.parse({ to: '/other' }) };
    assert.deepEqual(placeSettings(own, 'checkpoint'), { to: '/other', field: 'checkpoints.to' });
    assert.deepEqual(placeSettings(own, 'backup'), { to: '/backups', field: 'backup.to' });
    assert.equal(placeSettings(of({}), 'checkpoint'), undefined);
    assert.deepEqual([checkpointsKept(own), checkpointsKept({ ...own, checkpoints: { keep: 1 } })], [3, 1]);
  });

  test('what opens them is named, field by field', () => {
    const placed = { ...of({ to: bucket }), checkpoints: checkpointsSchema.parse({ to: bucket }) };
    assert.deepEqual(
      placeReferences(placed).map(({ field, reference }) => [field, Object.keys(reference)[0]]),
      [
        ['backup.to.credentials.accessKey', 'env'],
        ['backup.to.credentials.secretKey', 'file'],
        ['checkpoints.to.credentials.accessKey', 'env'],
        ['checkpoints.to.credentials.secretKey', 'file'],
      ],
    );
    assert.deepEqual(placeReferences(of({ to: '/backups' })), []);
  });

  test('of a store that is named the bucket is in the path; of AWS in the host, by its region', () => {
    const parsed = bucketSchema.parse({ ...bucket, region: 'eu-central-1' });
    assert.deepEqual(bucketAddress(parsed), { endpoint: 'https://s3.eu-central-1.amazonaws.com', pathStyle: false });
    const minio = { ...parsed, endpoint: 'https://minio:9000' };
    assert.deepEqual(bucketAddress(minio), { endpoint: 'https://minio:9000', pathStyle: true });
    assert.equal(bucketAddress({ ...minio, pathStyle: false }).pathStyle, false);
  });
});
