/** What a state becomes: matched releases, keys for the environment, references to secrets, and what is left. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { loadCatalog } from '../../../src/catalog/index.ts';
import { readConfig } from '../../../src/config.ts';
import { loadEnvironment } from '../../../src/environment/load.ts';
import { mergeTrees, type Tree } from '../../../src/environment/files/merge.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { patchKeeping, valueDifferences } from '../../../src/plan/adoption/compare.ts';
import { credentialsOf, objectsName } from '../../../src/plan/adoption/credentials.ts';
import { type AdoptionDraft, draftAdoption } from '../../../src/plan/adoption/draft.ts';
import { explainValue } from '../../../src/plan/adoption/explain.ts';
import { adoptionFiles, adoptionLines } from '../../../src/plan/adoption/files.ts';
import type { Found } from '../../../src/plan/adoption/found.ts';
import { foundInState, parseState } from '../../../src/plan/adoption/state.ts';
import { patched } from '../../../src/plan/inputs/environment-values.ts';
import { allReleaseInputs } from '../../../src/plan/inputs/release-inputs.ts';
import { PLATFORM_STATE } from './terraform-state.ts';

const config = readConfig({});
const ANANTA = loadCatalog();
const found: Found = foundInState(parseState(JSON.stringify(PLATFORM_STATE), 'terraform.tfstate'), 'terraform.tfstate');
const valuesOf = async (environment: Environment): Promise<Map<string, Tree>> => {
  const inputs = await allReleaseInputs(ANANTA, environment, {}, config);
  return new Map([...inputs].map(([name, { values }]) => [name, JSON.parse(values) as Tree]));
};

let environment: Environment;
let draft: AdoptionDraft;
before(async () => {
  environment = await loadEnvironment('dev', config, ANANTA);
  draft = await draftAdoption({ catalog: ANANTA, environment, found, bundledVersion: () => '1.0.0', ours: valuesOf });
});

describe('an adoption', () => {
  test('takes over what has name, place and chart of ours, and nothing else', () => {
    assert.deepEqual(
      draft.services.map(({ release, source }) => [release, source]),
      [
        ['control-plane-postgres', 'upstream'],
        ['control-plane-redis', 'upstream'],
      ],
    );
    assert.deepEqual(
      draft.near.map(({ found: { name }, candidates }) => [name, candidates[0]?.release.name, candidates[0]?.differs]),
      [
        [
          'temporal-postgres',
          'temporal-postgresql',
          ['the name (ours: temporal-postgresql)', 'the namespace (ours: temporal-system)'],
        ],
      ],
    );
    assert.deepEqual(
      draft.unmatched.map(({ name }) => name),
      ['kube-prometheus'],
    );
    assert.equal(
      draft.missing.some(({ name }) => name === 'control-plane-postgres'),
      false,
    );
    assert.ok(draft.missing.some(({ name }) => name === 'keycloak'));
  });

  test('with its keys the values are those that run, but for what is secret and what is added beside', async () => {
    const adopted = mergeTrees({ ...environment }, draft.environment) as Environment;
    const values = await valuesOf(adopted);
    for (const { name, values: theirs, secretValues } of found.releases.slice(0, 2)) {
      const left = valueDifferences(values.get(name) ?? {}, theirs)
        .map(({ path }) => path.join('.'))
        .filter((path) => !secretValues.some((secret) => path.startsWith(secret)));
      assert.deepEqual(
        left,
        name === 'control-plane-redis'
          ? ['extraDeploy', 'master.extraEnvVars']
          : ['auth.existingSecret', 'auth.secretKeys.adminPasswordKey', 'extraDeploy'],
      );
    }
  });

  test('a Service of our name is added where a chart has named its objects otherwise', async () => {
    const state = structuredClone(PLATFORM_STATE) as unknown as {
      resources: { instances: { attributes: { metadata: { name: string }[] | { name: string } } }[] }[];
    };
    const renamed = foundInState(parseState(JSON.stringify(state), 'f'), 'f');
    const [postgres] = renamed.releases;
    assert.ok(postgres);
    postgres.values = { ...postgres.values, nameOverride: 'pg' };
    const { environment: keys, services } = await draftAdoption({
      catalog: ANANTA,
      environment,
      found: renamed,
      bundledVersion: () => '1.0.0',
      ours: valuesOf,
    });
    const values = (keys['values'] as Record<string, Tree>)['control-plane-postgres'];
    assert.deepEqual(
      (values?.['extraDeploy'] as { kind: string; metadata: { name: string } }[]).map(({ kind, metadata }) => [
        kind,
        metadata.name,
      ]),
      [['Service', 'control-plane-postgres']],
    );
    assert.ok(services[0]?.remaining.some(({ what }) => what === 'Service control-plane-postgres'));
  });

  test('passwords that run are referred to, where they are; what nobody knows is asked for', () => {
    assert.deepEqual(draft.references, {
      'database/postgres': {
        'postgres-password': {
          namespace: 'database-system',
          secret: 'control-plane-postgres-postgresql',
          key: 'postgres-password',
        },
      },
      'cache/control-plane-redis': {
        'redis-password': { namespace: 'cache-system', secret: 'redis-credentials', key: 'password' },
      },
    });
    const of = (path: string, key: string): unknown =>
      draft.unknown.find((one) => one.path === path && one.key === key)?.candidates;
    assert.deepEqual(of('database/keycloak', 'password'), [
      { namespace: 'auth-system', secret: 'keycloak-database', key: 'password' },
    ]);
    // Vault has it already, under the same path.
    assert.equal(of('cache/novu-redis', 'redis-password'), undefined);
    assert.deepEqual(of('messaging/rabbitmq', 'rabbitmq-password'), []);
  });

  test('each difference that is left is told, with what it does', () => {
    const [postgres] = draft.services;
    assert.ok(postgres);
    assert.deepEqual(
      postgres.remaining.map(({ what, effect }) => [what, effect]),
      [
        ['chart postgresql 14.2.1, ours is 14.3.3', 'unknown'],
        ['Secret control-plane-postgres-postgresql', 'none'],
        ['Service control-plane-postgres', 'none'],
        ['label ananta.dev/environment on its objects', 'none'],
      ],
    );
    assert.deepEqual(
      postgres.kept.find(({ path }) => path === 'primary.persistence.size'),
      {
        path: 'primary.persistence.size',
        ours: '10Gi',
        theirs: '20Gi',
        effect: 'fixed',
        why: 'stands in the template of claims, which Kubernetes does not let be changed',
      },
    );
  });

  test("what the deployer's own check needs in the pods is ours, and told as a restart", () => {
    const redis = draft.services.find(({ release }) => release === 'control-plane-redis');
    assert.deepEqual(
      redis?.remaining.filter(({ effect }) => effect === 'restart').map(({ what }) => what),
      ['master.extraEnvVars'],
    );
  });

  test('its files can be read again, and neither they nor the list hold a secret', () => {
    const lines = adoptionLines(draft, found);
    const files = adoptionFiles(draft, { name: 'dev', extending: '_base', origin: found.origin }, lines);
    assert.deepEqual(
      files.map(({ name }) => name),
      ['_dev-adopted.yaml', 'secrets.yaml', 'adoption.txt'],
    );
    assert.doesNotMatch(JSON.stringify([files, lines, draft]), /S3CRET/);
    const [keys, references] = files.slice(0, 2).map(({ text }) => parse(text) as Tree);
    assert.deepEqual(keys, { extends: '_base', ...draft.environment });
    assert.deepEqual(references, draft.references);
    const text = lines.join('\n');
    for (const part of [
      /kept {5}primary\.persistence\.size: "20Gi" there, "10Gi" with us; ours cannot be had without a new volume/,
      /temporal-postgres.*\n.*temporal-postgresql: differs in the name/,
      /database\/keycloak password {2}\(perhaps auth-system\/keycloak-database\)/,
      /aws_s3_bucket\.uploads: is none of the platform/,
      /policy platform-reader: stays/,
    ])
      assert.match(text, part);
  });

  test("of a bundled chart's copy the label of the environment is ours", async () => {
    const bundled: Found = {
      ...found,
      releases: found.releases.slice(0, 1).map((one) => ({
        ...one,
        chart: { name: 'postgresql', version: '1.0.0' },
        values: { global: { domain: 'old.example' } },
      })),
    };
    const { environment: keys } = await draftAdoption({
      catalog: ANANTA,
      environment,
      found: bundled,
      bundledVersion: () => '1.0.0',
      ours: valuesOf,
    });
    const values = (keys['values'] as Record<string, Tree>)['control-plane-postgres'];
    assert.deepEqual(values?.['global'], { domain: 'old.example' });
  });

  test('a copy of a bundled chart is told from the one of its publisher', async () => {
    const bundled: Found = {
      ...found,
      releases: found.releases.slice(0, 1).map((one) => ({ ...one, chart: { name: 'postgresql', version: '1.0.0' } })),
    };
    const { services } = await draftAdoption({
      catalog: ANANTA,
      environment,
      found: bundled,
      bundledVersion: () => '1.0.0',
      ours: valuesOf,
    });
    assert.deepEqual(
      services.map(({ release, source }) => [release, source]),
      [['control-plane-postgres', 'bundled']],
    );
  });
});

describe('differences of values', () => {
  for (const [what, ours, theirs, defaults, paths] of [
    ['the same, in another order', { a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, {}, []],
    ['one says what the chart says anyway', { a: { b: 1 } }, {}, { a: { b: 1 } }, []],
    ['lists are one value', { a: [1] }, { a: [1, 2] }, {}, ['a']],
    ['a group beside a single value', { a: { b: 1 } }, { a: 'x' }, {}, ['a']],
    ['only theirs', {}, { a: { b: null } }, { a: { b: 1 } }, ['a.b']],
    ['a key without anything below it', { a: { b: {} } }, {}, {}, ['a.b']],
    ['a number and its text', { a: 1 }, { a: '1' }, {}, ['a']],
  ] as const)
    test(what, () => {
      assert.deepEqual(
        valueDifferences(ours, theirs as Tree, defaults).map(({ path }) => path.join('.')),
        [...paths],
      );
    });
});

describe('keeping theirs', () => {
  for (const [what, ours, theirs, untouched, patch] of [
    ['a value', { a: 1 }, { a: 2 }, [], { a: 2 }],
    ['a group of which theirs has nothing goes as a whole', { a: { b: { c: 1 }, d: {} } }, {}, [], { a: null }],
    ['one of which theirs has something does not', { a: { b: 1, c: 2 } }, { a: { c: 2 } }, [], { a: { b: null } }],
    ['what stays ours', { a: { b: 1, c: 2 } }, {}, ['a.c'], { a: { b: null, c: null } }],
    ['a null of theirs cannot be said', { a: 1 }, { a: null }, [], {}],
  ] as const)
    test(what, () => {
      assert.deepEqual(patchKeeping(valueDifferences(ours, theirs), theirs, untouched), patch);
    });

  test('leads to theirs, whatever the values are', () => {
    const ours = { a: { b: { '/x': {} }, c: [1] }, d: 'e', f: { g: 1 } };
    const theirs = { a: { c: [2] }, f: { g: 1, h: {} } };
    assert.deepEqual(patched(ours, patchKeeping(valueDifferences(ours, theirs), theirs)), theirs);
  });
});

describe('what a chart makes', () => {
  for (const [chart, release, values, name] of [
    ['postgresql', 'control-plane-postgres', {}, 'control-plane-postgres-postgresql'],
    ['postgresql', 'temporal-postgresql', {}, 'temporal-postgresql'],
    ['redis', 'cache', { fullnameOverride: 'x' }, 'x'],
    ['redis', 'cache', { nameOverride: 'store' }, 'cache-store'],
  ] as const)
    test(`${chart} as ${release} with ${JSON.stringify(values)} is called ${name}`, () => {
      assert.equal(objectsName(chart, release, values), name);
    });

  for (const [chart, values, expected] of [
    ['redis', {}, [['redis-password', 'r-redis', 'redis-password', true, true]]],
    ['redis', { auth: { existingSecret: 's' } }, [['redis-password', 's', 'redis-password', false, false]]],
    [
      'minio',
      { existingSecret: 's' },
      [
        ['rootUser', 's', 'rootUser', false, false],
        ['rootPassword', 's', 'rootPassword', false, false],
      ],
    ],
    [
      'keycloak',
      { auth: { existingSecret: 's', passwordSecretKey: 'p' } },
      [
        ['admin-password', 's', 'p', false, false],
        ['password', 'r-keycloak-externaldb', 'db-password', true, true],
      ],
    ],
    ['jaeger', {}, []],
  ] as const)
    test(`passwords of ${chart} with ${JSON.stringify(values)}`, () => {
      assert.deepEqual(
        credentialsOf(chart, 'r', values).map(({ ours, secret, key, made, restarts }) => [
          ours,
          secret,
          key,
          made,
          restarts,
        ]),
        expected,
      );
    });

  for (const [path, effect] of [
    ['fullnameOverride', 'replaced'],
    ['master.persistence.size', 'fixed'],
    ['replicaCount', 'scaled'],
    ['image.tag', 'restart'],
    ['auth.existingSecret', 'restart'],
    ['auth.database', 'restart'],
    ['existingSecret', 'restart'],
    ['primary.resources.limits.memory', 'restart'],
    ['networkPolicy.enabled', 'none'],
    ['consoleIngress.hosts', 'none'],
    ['metrics.enabled', 'restart'],
    ['architecture', 'unknown'],
  ] as const)
    test(`${path}: ${effect}`, () => {
      assert.equal(explainValue(path).effect, effect);
    });
});
