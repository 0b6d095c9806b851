import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workflowSources } from '../../../src/clients/temporal/bundle.ts';
import { readConfig } from '../../../src/config.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { contentDigest, contentOfIdentity, identityWithContent } from '../../../src/plan/inputs/content.ts';
import { platformInputs } from '../../../src/plan/inputs/platform-inputs.ts';
import { imageValues, upgradeProblem, versionsOf } from '../../../src/plan/deployer/image.ts';
import { deployerReleases, workerGraceSeconds } from '../../../src/plan/deployer/releases.ts';
import { engineInCluster } from '../../support/engine-in-cluster.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';

const config = readConfig();
const catalog = await miniCatalog();
const inputs = {
  image: 'registry.example/deployer:1.2.0',
  environmentFiles: { 'staging.yaml': 'extends: _base\n' },
  workflows: ['deployer-workflows-0123456789abcdef'],
  engineAccess: false,
};

async function inCluster(more: Partial<Environment> = {}): Promise<Environment> {
  const staging = await miniEnvironment('staging');
  return { ...staging, engine: engineInCluster(), ...more };
}

describe('what the installation brings', () => {
  test('the engine in the cluster: database, schema, server, UI, workers, in this order', async () => {
    const releases = await deployerReleases(await inCluster(), config, inputs);
    assert.deepEqual(
      releases.map(({ name, job }) => [name, job]),
      [
        ['deployer-database', false],
        ['deployer-schema', true],
        ['deployer-engine', false],
        ['deployer-ui', false],
        ['deployer-worker', false],
      ],
    );
    assert.deepEqual([...new Set(releases.map(({ namespace }) => namespace))], ['ananta-deployer']);
  });

  test('an engine elsewhere: the workers alone', async () => {
    const releases = await deployerReleases(await miniEnvironment('staging'), config, {
      ...inputs,
      engineAccess: true,
    });
    assert.deepEqual(
      releases.map(({ name }) => name),
      ['deployer-worker'],
    );
    assert.deepEqual(releases[0]?.values['secretFiles'], {
      '/etc/ananta/engine': { secret: 'deployer/engine-access' },
    });
  });

  test('a claim for backups is mounted where they go to', async () => {
    const backup = { recipients: ['age1…'], to: '/backups', claim: 'backups', timeZone: 'UTC', keep: 14 };
    const worker = (await deployerReleases(await inCluster({ backup }), config, inputs)).at(-1)!;
    assert.deepEqual((worker.values['volumes'] as unknown[]).at(-1), {
      name: 'backups',
      persistentVolumeClaim: { claimName: 'backups' },
    });
    assert.deepEqual((worker.values['volumeMounts'] as unknown[]).at(-1), { name: 'backups', mountPath: '/backups' });
  });

  test('where questions are answered by links, workers have a port for that, open to the namespace in front of it', async () => {
    const links = { url: 'https://a.example', key: { env: 'K' }, proxied: true, from: 'ingress-nginx' };
    const workerWith = async (listen: string): Promise<Record<string, unknown>> => {
      const staging = await inCluster();
      const notify = { ...staging.notify, links: { ...links, listen } };
      const telemetry = { metrics: { listen: '0.0.0.0:9464', scrapeFrom: 'monitoring' } };
      return (await deployerReleases({ ...staging, notify, telemetry }, config, inputs)).at(-1)?.values ?? {};
    };
    const ports = (values: Record<string, unknown>): string[] =>
      (values['service'] as { ports: { name: string; port: number }[] }).ports.map(
        ({ name, port }) => `${name} ${port}`,
      );
    const open = await workerWith('0.0.0.0:8443');
    assert.deepEqual(ports(open), ['metrics 9464', 'answers 8443']);
    const { alsoFrom } = open['networkPolicy'] as { alsoFrom: object[] };
    assert.deepEqual(alsoFrom, [{ namespace: 'monitoring' }, { namespace: 'ingress-nginx' }]);
    assert.deepEqual(ports(await workerWith('127.0.0.1:8443')), ['metrics 9464']);
  });

  test('a worker gets longer to end than Helm, and its pod longer than the worker', async () => {
    const environment = await inCluster();
    const worker = (await deployerReleases(environment, config, inputs)).at(-1)!;
    const grace = workerGraceSeconds(environment);
    assert.ok(grace > environment.helm.timeoutSeconds);
    assert.equal((worker.values['env'] as Record<string, string>)['ANANTA_GRACE_SECONDS'], String(grace));
    assert.ok((worker.values['terminationGracePeriodSeconds'] as number) >= grace + 20);
  });

  test('the same inputs give the same digests, another image another one for the workers alone, another version a new Job', async () => {
    const environment = await inCluster();
    const [before, same, other] = await Promise.all(
      [inputs, inputs, { ...inputs, image: 'registry.example/deployer:1.3.0' }].map((given) =>
        deployerReleases(environment, config, given),
      ),
    );
    const digests = (releases: typeof before): string[] => releases!.map(({ digest }) => digest);
    assert.deepEqual(digests(same), digests(before));
    assert.deepEqual(
      digests(other).map((digest, index) => digest === digests(before)[index]),
      [true, true, true, true, false],
    );
    const job = before![1]!;
    assert.equal((job.values['job'] as { name: string }).name, `deployer-schema-${job.digest.slice(0, 8)}`);
  });
});

describe('images', () => {
  test('are taken apart at the tag or the digest', () => {
    assert.deepEqual(imageValues('registry.example:5000/a/b:1.2'), {
      repository: 'registry.example:5000/a/b',
      tag: '1.2',
    });
    assert.deepEqual(imageValues(`a/b@sha256:${'0'.repeat(64)}`), { repository: 'a/b@sha256', tag: '0'.repeat(64) });
  });
});

describe('upgrades of the engine', () => {
  const at = (server: string, more = {}): Parameters<typeof upgradeProblem>[1] => ({
    server,
    database: '16',
    historyShards: 128,
    ...more,
  });
  const cases: [
    string,
    Parameters<typeof upgradeProblem>[0],
    Parameters<typeof upgradeProblem>[1],
    RegExp | undefined,
  ][] = [
    ['nothing is there', undefined, at('1.32.0'), undefined],
    ['the same', at('1.32.0'), at('1.32.0'), undefined],
    ['a patch', at('1.32.0'), at('1.32.2'), undefined],
    ['the next minor version', at('1.31.9'), at('1.32.0'), undefined],
    ['back', at('1.32.1'), at('1.32.0'), /older 1\.32\.0/],
    ['back by a minor version', at('1.32.0'), at('1.31.9'), /never taken back/],
    ['two at once', at('1.30.6'), at('1.32.0'), /one at a time/],
    ['another major version', at('1.32.0'), at('2.0.0'), /one at a time/],
    ['other shards', at('1.32.0'), at('1.32.0', { historyShards: 512 }), /128 history shards, which cannot be changed/],
    ['another PostgreSQL', at('1.32.0'), at('1.32.0', { database: '17' }), /dump and restore/],
    ['no version', at('latest'), at('1.32.0'), /cannot be judged/],
  ];
  for (const [name, installed, wanted, expected] of cases) {
    test(name, () => {
      const problem = upgradeProblem(installed, wanted);
      if (expected === undefined) assert.equal(problem, undefined);
      else assert.match(problem ?? '', expected);
    });
  }

  test('versions are read from what is installed', async () => {
    const releases = await deployerReleases(await inCluster(), config, inputs);
    const values = (name: string): Parameters<typeof versionsOf>[0] =>
      releases.find((release) => release.name === name)!.values;
    assert.deepEqual(versionsOf(values('deployer-engine'), values('deployer-database')), {
      server: '1.32.0',
      database: '16',
      historyShards: 128,
    });
    assert.equal(versionsOf({}, {}), undefined);
  });
});

const contentOf = (platform: typeof catalog, environment: Environment, at: typeof config): Promise<string> =>
  contentDigest(platform, environment, platformInputs(platform, environment, at));

describe('what a worker would deploy', () => {
  test('is the same for the same inputs, whatever the way to the cluster, and another for another platform', async () => {
    const environment = await inCluster();
    const digest = await contentOf(catalog, environment, config);
    assert.match(digest, /^[0-9a-f]{16}$/);
    assert.equal(
      await contentOf(catalog, { ...environment, cluster: { context: 'elsewhere' }, description: 'x' }, config),
      digest,
    );
    assert.notEqual(await contentOf(catalog, { ...environment, domain: 'other.example' }, config), digest);
  });

  test('a Secret that is named otherwise makes another one', async () => {
    const environment = await inCluster();
    const renamed = structuredClone(catalog);
    const use = renamed.services.flatMap(({ secrets }) => secrets).find(({ delivery }) => delivery === 'kubernetes')!;
    use.secretName = 'another-name';
    assert.notEqual(await contentOf(renamed, environment, config), await contentOf(catalog, environment, config));
  });

  test('follows from inputs alone: another checkout with the same charts and values, and no source, has the same', async () => {
    const environment = await inCluster();
    const copy = await mkdtemp(join(tmpdir(), 'checkout-'));
    try {
      for (const folder of ['helm', 'platforms'])
        await cp(join(config.repoRoot, folder), join(copy, folder), { recursive: true });
      const there = { ...config, repoRoot: copy };
      const digest = await contentOf(catalog, environment, config);
      assert.equal(await contentOf(catalog, environment, there), digest);
      const bundled = catalog.services.find(({ chart }) => chart.upstream === undefined)!;
      const values = join(copy, 'platforms', 'mini', 'helm', 'values', `${bundled.name}.yaml`);
      await appendFile(values, '\nextraInput: 1\n');
      assert.notEqual(await contentOf(catalog, environment, there), digest);
    } finally {
      await rm(copy, { recursive: true });
    }
  });

  test('stands in its name, which ends as ever', () => {
    const identity = identityWithContent('0123456789abcdef', 'ananta@pod-1/1');
    assert.equal(contentOfIdentity(identity), '0123456789abcdef');
    assert.match(identity, /@pod-1\/1$/);
    assert.equal(contentOfIdentity('root@laptop/42'), undefined);
  });
});

test('a version of the workflow code is over what workflows can reach: decisions they share, no drawing', async () => {
  const files = [...(await workflowSources(config.repoRoot)).keys()];
  assert.ok(files.includes('src/workflows/operation.ts'));
  assert.ok(files.includes('src/plan/progress.ts'));
  assert.ok(files.includes('src/contract/names.ts'));
  assert.deepEqual(
    files.filter((file) => /^src\/plan\/(render|inputs)\//.test(file) || file.startsWith('src/activities/')),
    [],
  );
});
