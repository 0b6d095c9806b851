import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bucketFindings, bucketsOf, realmFindings } from '../../../src/plan/drift/content-findings.ts';
import { flywayChecksum, ledgerFindings, ledgerRows, migrationsOf } from '../../../src/plan/drift/content-ledger.ts';
import { isSimulatedPod, simulatedLine, simulatedNodes } from '../../../src/plan/drift/content-simulated.ts';
import { secretFindings, type SeenSecret, type SourcePath } from '../../../src/plan/drift/vault/secret-findings.ts';
import { isOursAlone, ownerOfField } from '../../../src/plan/drift/vault/secret-owner.ts';
import { fieldDifferences } from '../../../src/plan/drift/vault/fields.ts';
import { pathFindings } from '../../../src/plan/drift/vault/path-findings.ts';
import { policyDifferences } from '../../../src/plan/drift/vault/policy-text.ts';

const rule = (path: string, ...capabilities: string[]): string =>
  `path "${path}" { capabilities = [${capabilities.map((name) => `"${name}"`).join(', ')}] }`;

describe('policies', () => {
  for (const [what, is, expected] of [
    ['the same', `${rule('a', 'read')}\n${rule('b', 'read', 'list')}`, []],
    ['order, comments and blanks', `# note\n${rule('b', 'list', 'read')}\n\n  ${rule('a', 'read')}`, []],
    [
      'more rights',
      `${rule('a', 'read', 'update')}\n${rule('b', 'list', 'read')}`,
      [{ field: 'path "a"', was: 'read', is: 'read, update' }],
    ],
    ['a rule less', rule('a', 'read'), [{ field: 'path "b"', was: 'list, read', is: '' }]],
    [
      'a rule more',
      `${rule('a', 'read')}\n${rule('b', 'read', 'list')}\n${rule('*', 'sudo')}`,
      [{ field: 'path "*"', was: '', is: 'sudo' }],
    ],
    [
      'what is no plain rule',
      `${rule('a', 'read')}\npath "b" { policy = "write" }`,
      [{ field: 'line 2', was: rule('b', 'read', 'list'), is: 'path "b" { policy = "write" }' }],
    ],
    [
      'two rules for one path',
      `${rule('a', 'read')}\n${rule('b', 'read', 'list')}\n${rule('b', 'sudo')}`,
      [{ field: 'line 3', was: '', is: rule('b', 'sudo') }],
    ],
  ] as const)
    test(what, () => {
      assert.deepEqual(policyDifferences(`${rule('a', 'read')}\n${rule('b', 'read', 'list')}`, is), expected);
    });
});

test('fields: what Vault leaves out is empty, what it has more is its own, lists are sets', () => {
  assert.deepEqual(fieldDifferences({ a: 0, b: [], c: '', d: false, e: ['x', 'y'] }, { e: ['y', 'x'], more: 1 }), []);
  assert.deepEqual(fieldDifferences({ ttl: 900, names: ['x'] }, { ttl: 3600, names: ['*', 'x'] }), [
    { field: 'ttl', was: '900', is: '3600' },
    { field: 'names', was: 'x', is: '*, x' },
  ]);
});

describe('paths', () => {
  const declared = {
    path: 'a/b',
    keys: [{ kind: 'generated' as const, name: 'key', format: 'hex' as const, length: 8 }],
  };
  const newest = { version: 2, createdAt: 'then', createdBy: 'root', destroyed: false };
  const seen = { declared, keys: ['key'], newest, deleteAfter: '0s', restorable: new Map<string, string>(), lost: [] };
  for (const [what, change, expected] of [
    ['as it should be', {}, []],
    [
      'deleted softly: the deletion is undone',
      { keys: undefined, newest: { ...newest, deletedAt: 'now', deletedBy: 'eve' } },
      [['missing', undefined, 'vault', 'eve', 'now']],
    ],
    [
      'destroyed, and still in a Secret',
      { keys: undefined, newest: { ...newest, destroyed: true }, restorable: new Map([['key', 'Secret x/y']]) },
      [['missing', undefined, 'vault', undefined, undefined]],
    ],
    [
      'destroyed, and nowhere else: a person',
      { keys: undefined, newest: { ...newest, destroyed: true }, lost: ['key'] },
      [['missing', undefined, undefined, undefined, undefined]],
    ],
    [
      'a key that the newest version lacks',
      { keys: [], restorable: new Map([['key', 'version 1']]) },
      [['missing', 'key', 'vault', 'root', 'then']],
    ],
    ['a key that is nowhere else', { keys: [], lost: ['key'] }, [['missing', 'key', undefined, 'root', 'then']]],
    [
      'Vault deletes by itself',
      { deleteAfter: '1h0m0s' },
      [['changed', 'delete_version_after', undefined, undefined, undefined]],
    ],
  ] as const)
    test(what, () => {
      assert.deepEqual(
        pathFindings({ ...seen, ...change }).map(({ kind, field, repair, by, at }) => [kind, field, repair, by, at]),
        expected,
      );
    });
});

const ours = (...fields: string[]): unknown => ({
  manager: 'ananta-deploy',
  operation: 'Apply',
  time: 'T1',
  fieldsV1: {
    'f:data': Object.fromEntries(fields.map((name) => [`f:${name}`, {}])),
    'f:metadata': { 'f:annotations': { 'f:ananta.dev/vault-version': {} } },
  },
});
const theirs = (...fields: string[]): unknown => ({
  manager: 'kubectl-edit',
  operation: 'Update',
  time: 'T2',
  fieldsV1: { 'f:data': Object.fromEntries(fields.map((name) => [`f:${name}`, {}])) },
});

test('who wrote a field: the last one who is not us; a field nobody owns has no author', () => {
  assert.deepEqual(ownerOfField([ours('a'), theirs('b')], ['data', 'b'], 'ananta-deploy'), {
    by: 'kubectl-edit',
    at: 'T2',
  });
  assert.deepEqual(ownerOfField([ours('a'), theirs('a')], ['data', 'a'], 'ananta-deploy'), {
    by: 'kubectl-edit',
    at: 'T2',
  });
  assert.deepEqual(ownerOfField([ours('a')], ['data', 'c'], 'ananta-deploy'), {});
  assert.deepEqual(ownerOfField(undefined, ['data', 'a'], 'ananta-deploy'), {});
  assert.deepEqual(
    [
      isOursAlone([ours('a')], ['data', 'a'], 'ananta-deploy'),
      isOursAlone([ours('a'), theirs('a')], ['data', 'a'], 'ananta-deploy'),
      isOursAlone([], ['data', 'a'], 'ananta-deploy'),
    ],
    [true, false, false],
  );
});

describe('Secrets', () => {
  const wanted = { namespace: 'n', name: 'vault-a-b', path: 'a/b', keys: ['p'], labels: { team: 'x' } };
  const seen: SeenSecret = {
    labels: { team: 'x', 'app.kubernetes.io/managed-by': 'ananta-deploy' },
    annotations: { 'ananta.dev/vault-path': 'a/b', 'ananta.dev/vault-version': '1@T' },
    managedFields: [ours('p')],
    immutable: false,
    values: { p: 'secret-value' },
  };
  const source: SourcePath = { values: { p: 'secret-value' }, revision: '1@T', createdAt: 'T0', createdBy: 'root' };
  const fingerprint = (value: string): string => `print-of-${value.length}`;
  for (const [what, change, from, expected] of [
    ['as made', {}, source, []],
    ['as made, and Vault is away', {}, undefined, []],
    [
      'a value edited by hand',
      { values: { p: 'other' }, managedFields: [theirs('p')] },
      source,
      [['changed', 'data.p', 'print-of-12', 'print-of-5', 'kubectl-edit', 'secret']],
    ],
    [
      'a value edited under our name',
      { values: { p: 'other' } },
      source,
      [['changed', 'data.p', 'print-of-12', 'print-of-5', 'ananta-deploy', 'secret']],
    ],
    [
      'a value edited while Vault is away',
      { managedFields: [theirs('p')] },
      undefined,
      [['changed', 'data.p', undefined, 'print-of-12', 'kubectl-edit', 'secret']],
    ],
    [
      'Vault has a newer value',
      {},
      { ...source, values: { p: 'newer' }, revision: '2@T' },
      [['changed', 'data.p', 'print-of-5', 'print-of-12', 'root', 'secret']],
    ],
    [
      'Vault has a newer version with the same values',
      {},
      { ...source, revision: '2@T' },
      [['changed', 'metadata.annotations.ananta.dev/vault-version', '2@T', '1@T', 'root', 'secret']],
    ],
    ['a key less', { values: {} }, source, [['missing', 'data.p', undefined, undefined, undefined, 'secret']]],
    [
      'a key more',
      { values: { p: 'secret-value', q: 'x' }, managedFields: [ours('p'), theirs('q')] },
      source,
      [['extra', 'data.q', undefined, undefined, 'kubectl-edit', undefined]],
    ],
    [
      'a label less',
      { labels: { team: 'x' } },
      source,
      [['missing', 'metadata.labels.app.kubernetes.io/managed-by', 'ananta-deploy', undefined, undefined, 'secret']],
    ],
    ['a lost value in Vault is said of the path', {}, { ...source, values: {} }, []],
    [
      'nobody may change it any more',
      { immutable: true },
      source,
      [['extra', 'immutable', undefined, 'true', undefined, undefined]],
    ],
  ] as const) {
    test(what, () => {
      const found = secretFindings(wanted, { ...seen, ...change }, from, { ownName: true, fingerprint });
      assert.deepEqual(
        found.map(({ kind, field, was, is, by, repair }) => [kind, field, was, is, by, repair]),
        expected,
      );
      assert.doesNotMatch(JSON.stringify(found), /secret-value|"other"|newer"/);
    });
  }
  test('gone', () => {
    assert.deepEqual(
      secretFindings(wanted, undefined, source, { ownName: true, fingerprint }).map(({ kind, repair }) => [
        kind,
        repair,
      ]),
      [['missing', 'secret']],
    );
  });
  test('whoever insists on a name may write into it', () => {
    assert.deepEqual(
      secretFindings(wanted, { ...seen, values: { p: 'secret-value', q: 'x' } }, source, {
        ownName: false,
        fingerprint,
      }),
      [],
    );
  });
});

describe('contents', () => {
  test('a pod is simulated when its node is', () => {
    const nodes = simulatedNodes([
      { metadata: { name: 'a', annotations: { 'kwok.x-k8s.io/node': 'fake' } } },
      { metadata: { name: 'b', labels: { type: 'kwok' } } },
      { metadata: { name: 'c', labels: { type: 'metal' } } },
    ]);
    assert.deepEqual(
      ['a', 'b', 'c', undefined].map((nodeName) => isSimulatedPod({ spec: { nodeName } }, nodes)),
      [true, true, false, false],
    );
  });

  test('what simulated pods cannot show is one line', () => {
    const none = { bucketSets: 0, realm: undefined, temporalNamespaces: 0, ledgers: 0, applications: 0 };
    assert.equal(simulatedLine(none), '');
    assert.equal(
      simulatedLine({ ...none, bucketSets: 1, realm: 'r', ledgers: 3 }),
      "Simulated pods cannot show: buckets (1 set), realm r, migration ledgers (3); there the Jobs' receipts count",
    );
  });

  // Checksums of Flyway itself are CRC-32 over the lines without their ends.
  test('checksums do not depend on line ends or a byte order mark', () => {
    assert.equal(flywayChecksum('123456789'), 0xcbf43926 | 0);
    assert.equal(flywayChecksum('\uFEFF1234\r\n56789\r\n'), 0xcbf43926 | 0);
  });

  test('ledger: missing rows run again; failed, edited and foreign ones are left to a person', () => {
    const migrations = migrationsOf(
      new Map([
        ['V10__c.sql', 'c'],
        ['V2__b.sql', 'b'],
        ['V1__a.sql', 'a'],
        ['README.md', ''],
      ]),
    );
    assert.deepEqual(
      migrations.map(({ version }) => version),
      ['1', '2', '10'],
    );
    const check = (rows: string | undefined) =>
      ledgerFindings({
        release: 'r',
        database: 's/d',
        rows: rows === undefined ? undefined : ledgerRows(rows),
        migrations,
      }).map(({ kind, field, repair }) => [kind, field, repair]);
    const [a, b, c] = migrations.map(({ checksum }) => checksum);
    assert.deepEqual(
      check(`|<< Flyway Baseline >>||t\n1|V1__a.sql|${a}|t\n2|V2__b.sql|${b}|t\n10|V10__c.sql|${c}|t\n`),
      [],
    );
    assert.deepEqual(check(undefined), [['missing', undefined, 'job']]);
    assert.deepEqual(check(`1|V1__a.sql|77|t\n2|V2__b.sql|${b}|f\n99|V99__z.sql|1|t\n`), [
      ['changed', 'V1__a.sql', undefined],
      ['unhealthy', 'V2__b.sql', undefined],
      ['missing', 'V10__c.sql', 'job'],
      ['extra', 'V99__z.sql', undefined],
    ]);
  });

  test('buckets and clients', () => {
    assert.deepEqual(
      [...bucketsOf('{"status":"success","type":"folder","key":"one/"}\n{"key":"two/","size":0}\n')],
      ['one', 'two'],
    );
    assert.deepEqual(
      bucketFindings('store', 'init', ['one', 'three'], new Set(['one'])).map(({ object, release, repair }) => [
        object,
        release,
        repair,
      ]),
      [['Bucket store/three', 'init', 'job']],
    );
    const realm = {
      name: 'r',
      job: 'init',
      clients: [
        { clientId: 'a', public: true },
        { clientId: 'b', public: false },
      ],
    };
    assert.deepEqual(
      realmFindings(realm, undefined).map(({ object, repair }) => [object, repair]),
      [['Realm r', 'job']],
    );
    assert.deepEqual(
      realmFindings(realm, [{ clientId: 'a', enabled: true, publicClient: false }]).map(({ kind, object, field }) => [
        kind,
        object,
        field,
      ]),
      [
        ['changed', 'Client r/a', 'publicClient'],
        ['missing', 'Client r/b', undefined],
      ],
    );
  });
});
