import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { ConfigurationError, listEnvironments, loadEnvironment } from '../../src/environment/load.ts';
import { environmentJsonSchema } from '../../src/environment/json-schema.ts';

const SOUND = `
description: for tests
platform: mini
cluster: { context: somewhere }
engine: { address: "temporal.example.org:7233", namespace: deployments }
charts: bundled
domain: example.org
images: { prefix: registry.example.org }
gitops: { repoURL: https://example.org/repo.git }
`;

interface Refusal {
  name: string;
  files: Record<string, string>;
  says: string;
}

/** Protected, and sound. */
const GUARDED = `${SOUND.replace(/engine: .*/, 'engine: { address: temporal.example.org:7233, namespace: n }')}protected: true\nvault: { replicas: 3, rootToken: revoke, tls: { secret: vault-tls }, keys: { store: kubernetes, publicKeys: [a.asc] } }\n`;

const REFUSALS: Refusal[] = [
  { name: 'broken YAML', files: { x: 'description: [unclosed' }, says: 'x.yaml: is not valid YAML' },
  { name: 'a list instead of keys', files: { x: '- one' }, says: 'x.yaml: has to be a group of keys' },
  {
    name: 'a mistyped key',
    files: { x: `${SOUND}domian: example.org\n` },
    says: 'x.yaml: domian: unknown key, did you mean "domain"?',
  },
  {
    name: 'a mistyped nested key',
    files: { x: `${SOUND}storage: { sises: {} }\n` },
    says: 'x.yaml: storage.sises: unknown key, did you mean "sizes"?',
  },
  {
    name: 'a key that resembles none',
    files: { x: `${SOUND}storage: { everything: {} }\n` },
    says: 'x.yaml: storage.everything: unknown key; known here: class, sizes',
  },
  {
    name: 'a key that nothing in a list has',
    files: { x: `${SOUND}freeze: { windows: [{ name: n, days: [], from: 0 8 * * MON, to: 0 9 * * MON }] }\n` },
    says: 'x.yaml: freeze.windows.0.days: unknown key; known here: name, from, to',
  },
  {
    name: 'a missing key',
    files: { x: SOUND.replace('domain: example.org\n', '') },
    says: 'x.yaml: domain: is missing: a text is needed',
  },
  {
    name: 'a wrong type',
    files: { x: `${SOUND}protected: perhaps\n` },
    says: 'x.yaml: protected: has to be true or false, not "perhaps"',
  },
  {
    name: 'a lease of a kind that nobody applies',
    files: { x: `${SOUND}fields: [{kind: Deploymnet, name: a, path: spec.replicas, owner: x}]\n` },
    says: 'x.yaml: fields.0.kind: is no kind that a release applies, did you mean "Deployment"?',
  },
  {
    name: 'a lease with a path of slashes',
    files: { x: `${SOUND}fields: [{kind: Service, name: a, path: /spec/type, owner: x}]\n` },
    says: 'x.yaml: fields.0.path: is written with dots, as drift tells it: spec.type',
  },
  {
    name: 'a lease of a whole object',
    files: { x: `${SOUND}fields: [{kind: Service, name: a, path: spec, owner: x}]\n` },
    says: 'x.yaml: fields.0.path: cannot be left to anybody',
  },
  {
    name: 'a lease with asterisks for all below',
    files: { x: `${SOUND}fields: [{kind: Service, name: a, path: "spec.**", owner: x}]\n` },
    says: 'x.yaml: fields.0.path: names one field',
  },
  {
    name: 'a lease with an open bracket',
    files: { x: `${SOUND}fields: [{kind: Service, name: a, path: "metadata.annotations[a", owner: x}]\n` },
    says: 'x.yaml: fields.0.path: has to be a path such as',
  },
  {
    name: 'a lease to nobody',
    files: { x: `${SOUND}fields: [{kind: Service, name: a, path: spec.type}]\n` },
    says: 'x.yaml: fields.0.owner: is missing',
  },
  {
    name: 'two leases of one field',
    files: {
      x: `${SOUND}fields: [{kind: Service, name: a, path: spec.type, owner: x}, {kind: Service, name: a, path: spec.type, owner: y}]\n`,
    },
    says: 'x.yaml: fields.1.path: is leased already, to x',
  },
  {
    name: 'an unknown word',
    files: { x: SOUND.replace('bundled', 'bundeled') },
    says: 'x.yaml: charts: cannot be "bundeled": use bundled or upstream, did you mean "bundled"?',
  },
  {
    name: 'a secret where its place is asked for, which is not repeated',
    files: {
      x: `${SOUND}backup: {recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p], to: {bucket: abc, credentials: {accessKey: {env: A}, secretKey: wJalrXUtn}}}\n`,
    },
    says: 'x.yaml: backup.to.credentials.secretKey: cannot be the value itself, since this file is no place for secrets: give either file, or env, or secret, or vault',
  },
  {
    name: 'checkpoints for nobody',
    files: { x: `${SOUND}checkpoints: { to: /kept }\n` },
    says: 'x.yaml: checkpoints: needs backup.recipients: checkpoints are encrypted for the same people, and never plain',
  },
  {
    name: 'a cluster of neither kind',
    files: { x: SOUND.replace('{ context: somewhere }', 'kind') },
    says: 'x.yaml: cluster: cannot be "kind": give either embedded, or kind, or context and kubeconfig',
  },
  {
    name: 'a missing cluster',
    files: { x: SOUND.replace('cluster: { context: somewhere }\n', '') },
    says: 'x.yaml: cluster: is missing: give either embedded, or kind, or context and kubeconfig',
  },
  {
    name: 'an engine address without port',
    files: { x: SOUND.replace('temporal.example.org:7233', 'temporal.example.org') },
    says: 'x.yaml: engine.address: has to be host:port',
  },
  {
    name: 'a number out of range',
    files: { x: `${SOUND}helm: { concurrency: 0 }\n` },
    says: 'x.yaml: helm.concurrency: has to be at least 1',
  },
  {
    name: 'an unknown parent',
    files: { x: 'extends: sandbx\n', sandbox: SOUND },
    says: 'x.yaml: extends: there is no file sandbx.yaml, did you mean "sandbox"?',
  },
  {
    name: 'a circle of parents',
    files: { x: 'extends: y\n', y: 'extends: z\n', z: 'extends: y\n' },
    says: 'z.yaml: extends: the files extend each other in a circle: x → y → z → y',
  },
  {
    name: 'a parent that is no name',
    files: { x: 'extends: [y]\n' },
    says: 'x.yaml: extends: has to be the name of a file',
  },
  {
    name: 'a problem in a parent, named there',
    files: { x: 'extends: y\n', y: `${SOUND}domian: x\n` },
    says: 'y.yaml: domian: unknown key',
  },
  {
    name: 'an unknown service in replicas',
    files: { x: `${SOUND}replicas: { services: { strage: 2 } }\n` },
    says: 'x.yaml: replicas.services.strage: there is no service "strage", did you mean "storage"?',
  },
  {
    name: 'replicas of a Job',
    files: { x: `${SOUND}replicas: { services: { schema: 2 } }\n` },
    says: 'replicas.services.schema: is a Job',
  },
  {
    name: 'replicas of a database',
    files: { x: `${SOUND}replicas: { services: { database: 2 } }\n` },
    says: 'replicas.services.database: keeps its data in one volume',
  },
  {
    name: 'an unknown service in resources',
    files: { x: `${SOUND}resources: { nothing: {} }\n` },
    says: 'resources.nothing: there is no service "nothing"',
  },
  {
    name: 'an unknown service in tags',
    files: { x: SOUND.replace('prefix: registry.example.org', 'prefix: r, tags: { nothing: "1" }') },
    says: 'images.tags.nothing: there is no service "nothing"',
  },
  {
    name: 'a size for a service without volume',
    files: { x: `${SOUND}storage: { sizes: { auth: 1Gi } }\n` },
    says: 'storage.sizes.auth: there is no service with a volume "auth"',
  },
  {
    name: 'a start-up time of an unknown service',
    files: {
      x: `${SOUND.replace('{ context: somewhere }', '{ embedded: {} }')}simulation: { startupSeconds: { nothing: 1 } }\n`,
    },
    says: 'simulation.startupSeconds.nothing: there is no service "nothing"',
  },
  {
    name: 'simulation on a real cluster',
    files: { x: `${SOUND}simulation: {}\n` },
    says: 'x.yaml: simulation: pods are simulated on an embedded cluster only',
  },
  {
    name: 'more keys needed than exist',
    files: { x: `${SOUND}vault: { shares: 2, threshold: 3 }\n` },
    says: 'x.yaml: vault.threshold: 3 keys cannot be needed where only 2 exist',
  },
  {
    name: 'servers of Vault that cannot agree',
    files: { x: `${SOUND}vault: { replicas: 2 }\n` },
    says: 'x.yaml: vault.replicas: has to be odd',
  },
  {
    name: 'servers of Vault in the wrong place',
    files: { x: `${SOUND}replicas: { services: { vault: 3 } }\n` },
    says: 'replicas.services.vault: is said in vault.replicas',
  },
  {
    name: 'more owners than shares',
    files: { x: `${SOUND}vault: { keys: { store: file, publicKeys: [a.asc, b.asc] } }\n` },
    says: 'vault.keys.publicKeys: names 2 owners for 1 shares',
  },
  {
    name: 'a root token for a person that is to be kept',
    files: { x: `${SOUND}vault: { rootToken: keep, keys: { store: file, rootTokenKey: a.asc } }\n` },
    says: 'vault.keys.rootTokenKey: a root token that is encrypted to a person cannot be kept',
  },
  {
    name: 'a secret among the parameters of a key service',
    files: {
      x: `${SOUND}vault: { seal: { type: awskms, parameters: { region: r, kms_key_id: k, secret_key: s } } }\n`,
    },
    says: 'vault.seal.parameters.secret_key: unknown key',
  },
  {
    name: 'an external Vault without a way back',
    files: { x: `${SOUND}vault: { external: { address: "https://vault.example.org" } }\n` },
    says: 'vault.kubernetesHost: has to be said with vault.external',
  },
  {
    name: 'servers of a Vault that others run',
    files: {
      x: `${SOUND}vault: { external: { address: "https://vault.example.org" }, kubernetesHost: "https://k", replicas: 3 }\n`,
    },
    says: 'vault.replicas: is the business of those who run the external Vault',
  },
  {
    name: 'an image that is neither tag nor digest',
    files: { x: SOUND.replace('prefix: registry.example.org', 'prefix: r, tags: { auth: "sha256:12" }') },
    says: 'images.tags.auth: has to be an image tag, or a digest',
  },
  ...[
    [
      'the development server',
      'engine: { address: temporal.example.org:7233, namespace: n }',
      'engine: { embedded: true }',
      'x.yaml: engine: a protected environment needs a Temporal that outlives this machine',
    ],
    [
      'one server of Vault',
      'replicas: 3',
      'replicas: 1',
      'x.yaml: vault.replicas: a protected environment needs at least 3 servers',
    ],
    [
      'a Vault in clear text',
      'tls: { secret: vault-tls }, ',
      '',
      'x.yaml: vault.tls: a protected environment reaches Vault over TLS alone',
    ],
    [
      "somebody's Vault in clear text",
      /vault: .*/.exec(GUARDED)![0],
      'vault: { external: { address: "http://vault.example.org:8200" }, kubernetesHost: "https://api.example.org" }',
      'x.yaml: vault.external.address: a protected environment reaches Vault over https:// alone',
    ],
    [
      'unseal keys in clear',
      'publicKeys: [a.asc]',
      'name: other',
      'x.yaml: vault.keys: a protected environment keeps no unseal keys in clear',
    ],
    [
      'a root token that stays',
      'rootToken: revoke',
      'rootToken: keep',
      'x.yaml: vault.rootToken: a protected environment revokes the root token',
    ],
  ].map(
    ([name, from, to, says]): Refusal => ({
      name: `protected, with ${name}`,
      files: { x: GUARDED.replace(from!, to!) },
      says: says!,
    }),
  ),
];

describe('environments', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ananta-environments-'));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  /** Writes the files, each test into a folder of its own. */
  async function withFiles(files: Record<string, string>): Promise<{ environmentsDir: string; repoRoot: string }> {
    const environmentsDir = await mkdtemp(join(folder, 'case-'));
    await Promise.all(
      Object.entries(files).map(([name, text]) => writeFile(join(environmentsDir, `${name}.yaml`), text)),
    );
    return { environmentsDir, repoRoot: readConfig({}).repoRoot };
  }

  for (const { name, files, says } of REFUSALS) {
    test(`refuses ${name}`, async () => {
      await assert.rejects(loadEnvironment('x', await withFiles(files)), (error: Error) => {
        assert.ok(error instanceof ConfigurationError, error.stack);
        assert.ok(error.message.includes(says), error.message);
        return true;
      });
    });
  }

  test('lists every problem of a file at once', async () => {
    const config = await withFiles({ x: `${SOUND}domian: x\nprotected: 1\n` });
    await assert.rejects(loadEnvironment('x', config), (error: ConfigurationError) => {
      assert.deepEqual(error.problems.map(({ field }) => field).sort(), ['domian', 'protected']);
      return true;
    });
  });

  test('refuses an unknown environment, naming those there are', async () => {
    const config = await withFiles({ sandbox: SOUND, prod: SOUND, _base: SOUND });
    await assert.rejects(
      loadEnvironment('sandbx', config),
      /sandbx\.yaml: there is no environment "sandbx", did you mean "sandbox"\? Known: prod, sandbox\./,
    );
    await assert.rejects(loadEnvironment('_base', config), /there is no environment "_base"/);
    await assert.rejects(loadEnvironment('../sandbox', config), /there is no environment/);
  });

  test('has no environments where there is no folder', async () => {
    assert.deepEqual(await listEnvironments({ environmentsDir: join(folder, 'nowhere') }), []);
  });

  test('merges groups, replaces lists and values, over several generations', async () => {
    const config = await withFiles({
      _base: `${SOUND}storage: { class: slow, sizes: { database: 1Gi } }\n`,
      y: 'extends: _base\nstorage: { sizes: { vault: 2Gi } }\nimages: { pullSecrets: [a, b] }\n',
      x: 'extends: y\nstorage: { class: fast }\nimages: { pullSecrets: [c] }\n',
    });
    const environment = await loadEnvironment('x', config);
    assert.deepEqual(environment.storage, { class: 'fast', sizes: { database: '1Gi', vault: '2Gi' } });
    assert.deepEqual(environment.images.pullSecrets, ['c']);
    assert.equal(environment.name, 'x');
    assert.equal(environment.extends, undefined);
  });

  test('takes a key under its earlier name, and refuses both names in one file', async () => {
    const old = `${SOUND}removalPatienceSeconds: 90\n`;
    const config = await withFiles({
      x: old,
      y: 'extends: x\ndeletionProgressDeadlineSeconds: 120\n',
      z: `${old}deletionProgressDeadlineSeconds: 120\n`,
    });
    assert.equal((await loadEnvironment('x', config)).deletionProgressDeadlineSeconds, 90);
    assert.equal((await loadEnvironment('y', config)).deletionProgressDeadlineSeconds, 120);
    await assert.rejects(loadEnvironment('z', config), /z\.yaml: removalPatienceSeconds: unknown key/);
  });

  test('another kind of engine or cluster replaces the one that is extended; the same kind is merged', async () => {
    const config = await withFiles({
      y: SOUND,
      x: 'extends: y\nengine: { inCluster: { replicas: 2 } }\ncluster: { embedded: { nodes: 2 } }\n',
      z: 'extends: x\nengine: { inCluster: { retentionDays: 30 } }\n',
    });
    assert.deepEqual((await loadEnvironment('x', config)).cluster, { embedded: { nodes: 2 } });
    const { engine } = await loadEnvironment('z', config);
    assert.deepEqual('inCluster' in engine && [engine.inCluster.replicas, engine.inCluster.retentionDays], [2, 30]);
  });

  test('simulates the pods of an embedded cluster, told or not', async () => {
    const environment = await loadEnvironment(
      'x',
      await withFiles({ x: SOUND.replace('{ context: somewhere }', '{ embedded: {} }') }),
    );
    assert.deepEqual(environment.cluster, { embedded: { nodes: 3 } });
    assert.equal(environment.simulation?.factor, 0.4);
  });
});

describe('the environments of this repository', () => {
  const config = readConfig({});

  test('load', async () => {
    const names = ['dev', 'local', 'mini', 'node', 'prod', 'sandbox', 'staging'];
    // Somebody may have one of their own beside them.
    const there = await listEnvironments(config);
    assert.deepEqual(
      there.filter((name) => names.includes(name)),
      names,
    );
    const loaded = await Promise.all(names.map((name) => loadEnvironment(name, config)));
    assert.deepEqual(
      loaded.map(({ name, charts }) => `${name} ${charts}`),
      [
        'dev upstream',
        'local upstream',
        'mini bundled',
        'node bundled',
        'prod upstream',
        'sandbox bundled',
        'staging upstream',
      ],
    );
    assert.deepEqual(
      loaded.filter((environment) => environment.protected).map(({ name }) => name),
      ['prod'],
    );
  });

  test('production is protected, and three of five keys open its Vault', async () => {
    const prod = await loadEnvironment('prod', config);
    assert.equal(prod.vault.shares, 5);
    assert.equal(prod.vault.threshold, 3);
    assert.deepEqual([prod.vault.replicas, prod.vault.rootToken, prod.vault.keys.publicKeys?.length], [3, 'revoke', 5]);
    assert.equal(prod.suppliedSecrets, 'required');
  });

  test('have a JSON Schema that is up to date (node launcher.mjs --run scripts/generate-schema.ts)', async () => {
    assert.equal(
      await readFile(join(config.environmentsDir, 'environment.schema.json'), 'utf8'),
      environmentJsonSchema(),
    );
  });
});
