/** State files of Terraform and OpenTofu: what is read of them, what is refused, and that no secret is kept. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { foundInState, parseState, StateFileError } from '../../../src/plan/adoption/state.ts';
import { scrubbed } from '../../../src/plan/adoption/scrub.ts';
import { PLATFORM_STATE } from './terraform-state.ts';

const FILE = 'terraform.tfstate';
const read = (state: unknown): ReturnType<typeof foundInState> =>
  foundInState(parseState(JSON.stringify(state), FILE), FILE);

describe('a state file', () => {
  test('written by Terraform 1.11 and the provider helm 3: names of Secrets stay, what was set as sensitive does not', async () => {
    const text = await readFile(new URL('helm-provider-3.tfstate', import.meta.url), 'utf8');
    const { releases } = foundInState(parseState(text, FILE), FILE);
    assert.deepEqual(
      releases.map(({ namespace, name, chart, status, secretValues }) => [
        `${namespace}/${name}`,
        `${chart.name} ${chart.version}`,
        status,
        secretValues,
      ]),
      [
        ['data/database', 'postgresql 1.0.0', 'deployed', []],
        ['apps/web', 'service 1.0.0', 'deployed', ['env.SESSION_SECRET']],
      ],
    );
    const [database, web] = releases.map(({ values }) => values);
    assert.deepEqual(database?.['envFromSecret'], {
      POSTGRES_PASSWORD: { key: 'postgres-password', secret: 'database/main' },
    });
    assert.equal(web?.['replicaCount'], 2);
    assert.ok(!JSON.stringify(releases).includes('S3CRET'));
  });

  test('releases, Secrets and what is in Vault are found, by name; nothing of what they hold is kept', () => {
    const found = read(PLATFORM_STATE);
    assert.equal(found.origin, 'terraform.tfstate (Terraform or OpenTofu 1.9.8, serial 12)');
    assert.deepEqual(
      found.releases.map(({ namespace, name, chart, source }) => [
        `${namespace}/${name}`,
        `${chart.name} ${chart.version}`,
        source,
      ]),
      [
        [
          'database-system/control-plane-postgres',
          'postgresql 14.2.1',
          'module.database.helm_release.control_plane_postgres',
        ],
        ['cache-system/control-plane-redis', 'redis 20.13.4', 'helm_release.control_plane_redis'],
        ['database-system/temporal-postgres', 'postgresql 14.3.3', 'helm_release.temporal_postgres'],
        ['observability/kube-prometheus', 'kube-prometheus-stack 58.1.0', 'helm_release.kube_prometheus'],
      ],
    );
    assert.deepEqual(found.releases[0]?.secretValues, ['auth.postgresPassword', 'primary.extraEnvVars']);
    assert.deepEqual(found.releases[1]?.values['auth'], {
      existingSecret: 'redis-credentials',
      existingSecretPasswordKey: 'password',
    });
    assert.deepEqual(found.secrets, [
      {
        namespace: 'auth-system',
        name: 'keycloak-database',
        keys: ['password', 'username'],
        source: 'kubernetes_secret_v1.keycloak',
      },
    ]);
    assert.deepEqual(found.vault, {
      mounts: [{ path: 'secret', type: 'kv-v2' }],
      logins: [{ path: 'kubernetes', type: 'kubernetes' }],
      policies: ['platform-reader'],
      roles: [{ mount: 'kubernetes', name: 'cns-service' }],
      secrets: [{ path: 'secret/cache/novu-redis', keys: ['redis-password'] }],
    });
    assert.deepEqual(
      found.others.map(({ what }) => what),
      ['kubernetes_deployment.tenant_management (control-plane/tenant-management-service)', 'aws_s3_bucket.uploads'],
    );
    assert.doesNotMatch(JSON.stringify(found), /S3CRET/);
  });

  test('instances of count and for_each have their key; what was replaced does not count', () => {
    const [release] = PLATFORM_STATE.resources;
    const attributes = release?.instances[0]?.['attributes'];
    const found = read({
      ...PLATFORM_STATE,
      resources: [
        {
          ...release,
          instances: [
            { index_key: 'eu', attributes },
            { index_key: 0, attributes },
            { index_key: 'old', deposed: 'a1b2c3d4', attributes },
          ],
        },
      ],
    });
    assert.deepEqual(
      found.releases.map(({ source }) => source),
      [
        'module.database.helm_release.control_plane_postgres["eu"]',
        'module.database.helm_release.control_plane_postgres[0]',
      ],
    );
  });

  test('a release whose values cannot be put together is named, not guessed', () => {
    const found = read({
      ...PLATFORM_STATE,
      resources: [
        {
          mode: 'managed',
          type: 'helm_release',
          name: 'old',
          instances: [
            {
              attributes: {
                name: 'old',
                namespace: 'x',
                chart: 'y',
                values: ['a: 1'],
                set: [{ name: 'b', value: '2' }],
              },
            },
          ],
        },
      ],
    });
    assert.deepEqual(found.releases, []);
    assert.match(found.others[0]?.why ?? '', /--from live/);
  });

  for (const [what, text, message] of [
    ['no JSON', 'resource "x" {}', /is no JSON/],
    ['a saved plan', 'PK\u0003\u0004', /saved plan, not a state/],
    [
      'one that OpenTofu has encrypted',
      '{"serial":1,"lineage":"x","meta":{"key_provider.pbkdf2.a":"e30="},"encrypted_data":"AAAA","encryption_version":"v0"}',
      /is encrypted by OpenTofu.*tofu state pull/,
    ],
    ['the output of show', '{"format_version":"1.0","values":{}}', /terraform show -json/],
    ['version 3', '{"version":3,"modules":[]}', /has version 3 of the format/],
    ['something else', '{"kind":"List"}', /it has no version/],
    ['a list', '[]', /is no state/],
    [
      'one that is damaged',
      '{"version":4,"resources":[{"mode":"managed"}]}',
      /not what Terraform writes: at resources\.0/,
    ],
  ] as const)
    test(`${what} is refused, and says what to do`, () => {
      assert.throws(
        () => parseState(text, FILE),
        (error: unknown) => {
          assert.ok(error instanceof StateFileError);
          assert.match(error.message, message);
          return true;
        },
      );
    });
});

describe('what is secret in values', () => {
  for (const [what, values, kept, secret] of [
    ['a password', { auth: { password: 'x' } }, { auth: {} }, ['auth.password']],
    ['a number that is one', { pinToken: 1234 }, {}, ['pinToken']],
    ['the name of a Secret', { auth: { existingSecret: 'x', secretKeys: { adminPasswordKey: 'k' } } }, undefined, []],
    ['whether there is one', { auth: { usePassword: true, enabled: false } }, undefined, []],
    ['an address with a password', { url: 'postgres://a:b@db/x' }, {}, ['url']],
    [
      'a variable in a list',
      {
        env: [
          { name: 'API_TOKEN', value: 'x' },
          { name: 'A', value: 'b' },
        ],
      },
      {},
      ['env'],
    ],
    [
      'a variable from a Secret',
      { env: [{ name: 'API_TOKEN', valueFrom: { secretKeyRef: { name: 'n', key: 'k' } } }] },
      undefined,
      [],
    ],
    [
      'passwords in a list',
      { auth: { passwords: ['x'], database: 'd' } },
      { auth: { database: 'd' } },
      ['auth.passwords'],
    ],
    ['names of Secrets in a list', { image: { pullSecrets: ['registry'] } }, undefined, []],
    [
      'a Secret among objects',
      {
        extraDeploy: [
          { kind: 'Secret', stringData: { 'config.ini': 'x' } },
          { kind: 'ConfigMap', data: { a: 'b' } },
        ],
      },
      {},
      ['extraDeploy'],
    ],
    [
      'a variable in a map',
      { env: { db: { name: 'DB_PASSWORD', value: 'x' } } },
      { env: { db: { name: 'DB_PASSWORD' } } },
      ['env.db.value'],
    ],
    ['what Terraform has cloaked', { a: { b: '(sensitive value)' } }, { a: {} }, ['a.b']],
    ['an empty text', { auth: { password: '' } }, undefined, []],
  ] as const)
    test(`${what}: ${secret.length === 0 ? 'is kept' : 'is left out'}`, () => {
      assert.deepEqual(scrubbed(values), { values: kept ?? values, secretValues: [...secret] });
    });
});
