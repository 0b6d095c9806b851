import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import { chartMirrorSchema } from '../../src/environment/charts.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import type { Environment } from '../../src/environment/schema.ts';
import {
  chartLockFile,
  type ChartLock,
  ChartLockError,
  readChartLock,
  writtenLock,
} from '../../src/plan/charts/lock.ts';
import { checkChartSource, chartSource, PlanRefusedError } from '../../src/plan/charts/source.ts';
import { frozenImages } from '../../src/plan/images/frozen.ts';
import { allDigests, releaseInputs } from '../../src/plan/inputs/release-inputs.ts';
import { findRelease, findService } from '../../src/plan/releases.ts';
import { archivePath, placeName, wantedChart, wantedCharts } from '../../src/plan/charts/wanted.ts';

const catalog = loadCatalog();
const config = readConfig({});
const REDIS = catalog.upstreamCharts['redis']!;
const VAULT = catalog.upstreamCharts['vault']!;
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const locked = (version = REDIS.version): ChartLock => ({
  charts: { redis: { version, digest: digest('a'), source: 'x' } },
});
let prod: Environment;
before(async () => {
  prod = await loadEnvironment('prod', config);
});

test("the lock of this repository names charts of the catalog at their versions, from their publishers' own repositories", async () => {
  const { charts } = await readChartLock(chartLockFile({ platform: 'ananta' }, config));
  assert.ok(Object.keys(charts).length >= 9);
  for (const [key, { version, source }] of Object.entries(charts)) {
    const chart = catalog.upstreamCharts[key];
    assert.deepEqual([version, source], [chart?.version, chart?.oci ?? chart?.repository], key);
  }
});

describe('which chart a service is made from', () => {
  const source = (name: string, choice: Partial<Environment> = {}): string =>
    chartSource({ charts: 'upstream', chartOverrides: {}, ...choice }, findService(catalog, name));
  test('the environment says it, for one service its override does', () => {
    assert.equal(source('rabbitmq'), 'upstream');
    assert.equal(source('rabbitmq', { chartOverrides: { rabbitmq: 'bundled' } }), 'bundled');
    assert.equal(source('rabbitmq', { charts: 'bundled', chartOverrides: { rabbitmq: 'upstream' } }), 'upstream');
    assert.equal(source('middleware-api'), 'bundled', 'there is no other');
  });

  test('it is not changed under a release, whether or not it holds data', () => {
    const release = (status: 'deployed' | 'uninstalled') => ({
      releases: new Map(
        ['app-plane/rabbitmq', 'monitoring-system/jaeger', 'app-plane/middleware-api'].map((key) => [
          key,
          { revision: 1, status, labels: { 'ananta-charts': 'bundled' } },
        ]),
      ),
    });
    assert.throws(
      () => checkChartSource(catalog, prod, release('deployed')),
      (error: Error) => {
        assert.ok(error instanceof PlanRefusedError);
        assert.match(
          error.message,
          /data of these services was written by.*: rabbitmq \(bundled, upstream is asked for\)\. .*these releases were made from.*: jaeger \(bundled/,
        );
        assert.match(error.message, /chartOverrides: \{ jaeger: bundled, rabbitmq: bundled \}/);
        assert.match(error.message, /helm uninstall jaeger --namespace monitoring-system/);
        assert.doesNotMatch(error.message, /helm uninstall rabbitmq|middleware/, 'nobody is told to remove data');
        return true;
      },
    );
    checkChartSource(
      catalog,
      { ...prod, chartOverrides: { rabbitmq: 'bundled', jaeger: 'bundled' } },
      release('deployed'),
    );
    checkChartSource(catalog, prod, release('uninstalled'));
  });
});

describe('where a chart is fetched from', () => {
  const place = (chartMirror: Environment['chartMirror'], chart = REDIS): string =>
    placeName(wantedChart('redis', chart, { chartMirror }, locked(), { repoRoot: '/repo' }).place);
  test('its publisher, or the mirror alone', () => {
    assert.equal(place(undefined), 'oci://registry-1.docker.io/bitnamicharts/redis');
    assert.equal(place(undefined, VAULT), 'https://helm.releases.hashicorp.com');
    assert.equal(place('oci://registry.example/charts/', VAULT), 'oci://registry.example/charts/vault');
    assert.equal(place({ url: 'https://charts.example/stable', plainHttp: false }), 'https://charts.example/stable');
    assert.equal(place('./mirror'), '/repo/mirror');
  });

  test('a mirror is an address or a folder, and holds no password', () => {
    for (const good of [
      'oci://h/p',
      'https://h',
      'http://h',
      './m',
      '../m',
      '/m',
      { url: 'oci://h/p', plainHttp: true, ca: 'f', credentials: 'f' },
    ])
      assert.ok(chartMirrorSchema.safeParse(good).success, JSON.stringify(good));
    for (const bad of [
      '',
      'registry.example/charts',
      'ftp://h',
      'https://user:word@h/p',
      { url: 'oci://u:p@h/p' },
      { plainHttp: true },
    ])
      assert.ok(!chartMirrorSchema.safeParse(bad).success, JSON.stringify(bad));
  });

  test('an environment needs the charts of its services', () => {
    const used = wantedCharts(
      catalog,
      { ...prod, charts: 'bundled', chartOverrides: { jaeger: 'upstream' } },
      { charts: {} },
      config,
    ).filter(({ services }) => services.length > 0);
    assert.deepEqual(
      used.map(({ key, services }) => [key, services]),
      [['jaeger', ['jaeger']]],
    );
  });

  test('an override names a service that has a choice', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'charts-'));
    try {
      await writeFile(
        join(folder, 'x.yaml'),
        'description: x\ncluster: {context: c}\nengine: {address: "h:1", namespace: n}\ncharts: upstream\nchartOverrides: {rabbitmk: bundled, middleware-api: bundled}\ndomain: d\nimages: {prefix: p}\ngitops: {repoURL: "https://r"}\n',
      );
      await assert.rejects(
        loadEnvironment('x', { ...config, environmentsDir: folder }),
        /chartOverrides\.rabbitmk: there is no service with a publisher's chart "rabbitmk", did you mean "rabbitmq".*chartOverrides\.middleware-api: there is no service/s,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the lock', () => {
  test('is for one version: another one is not locked', () => {
    assert.equal(wantedChart('redis', REDIS, {}, locked(), config).digest, digest('a'));
    assert.equal(wantedChart('redis', REDIS, {}, locked('20.0.0'), config).digest, undefined);
    assert.equal(
      archivePath({ cacheDir: '/c' }, { name: 'redis', version: '1', digest: digest('a') }),
      '/c/charts/redis-1-aaaaaaaaaaaa.tgz',
    );
  });

  test('of this repository names versions of the catalog, and only those', async () => {
    const { charts } = await readChartLock(chartLockFile({ platform: 'ananta' }, config));
    assert.ok(Object.keys(charts).length > 0);
    for (const [key, { version }] of Object.entries(charts))
      assert.equal(version, catalog.upstreamCharts[key]?.version, key);
  });

  test('is written in order, and read as it was written; what is broken is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lock-'));
    const file = join(folder, 'lock.yaml');
    try {
      assert.deepEqual(await readChartLock(file), { charts: {} });
      const lock = { charts: { vault: { version: '1', digest: digest('b'), source: 's' }, ...locked().charts } };
      const text = writtenLock(lock);
      assert.ok(text.indexOf('redis:') < text.indexOf('vault:'));
      await writeFile(file, text);
      assert.deepEqual(await readChartLock(file), lock);
      for (const [broken, said] of [
        ['charts: {redis: {version: x, digest: sha256:1, source: s}}', /charts\.redis\.digest: has to be sha256/],
        ['{', /not valid YAML/],
      ] as const) {
        await writeFile(file, broken);
        await assert.rejects(
          readChartLock(file),
          (error: Error) => error instanceof ChartLockError && said.test(error.message) && error.message.includes(file),
        );
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('is part of what a release is made from; where the archive comes from is not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lock-'));
    const file = join(folder, 'lock.yaml');
    const made = async (environment: Environment): Promise<string> =>
      (await releaseInputs(catalog, environment, findRelease(catalog, 'novu-redis'), {}, config)).digest;
    try {
      await writeFile(file, writtenLock(locked()));
      const environment = { ...prod, chartLock: file };
      const before = await made(environment);
      assert.equal(await made({ ...environment, chartMirror: './mirror' }), before);
      await writeFile(file, writtenLock({ charts: { redis: { ...locked().charts['redis']!, digest: digest('c') } } }));
      assert.notEqual(await made(environment), before);
      assert.notEqual(await made({ ...environment, chartOverrides: { 'novu-redis': 'bundled' } }), before);
      await writeFile(file, '{');
      await assert.rejects(allDigests(catalog, environment, {}, config), ChartLockError);
      await allDigests(catalog, { ...environment, charts: 'bundled' }, {}, config);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('frozen images: by repository, without the parts that are switched off', () => {
  assert.deepEqual(
    frozenImages([
      [
        'a',
        {
          image: { registry: 'docker.io', repository: 'bitnamilegacy/redis', tag: '7' },
          metrics: { enabled: false, image: { repository: 'bitnamilegacy/exporter' } },
          sentinel: { enabled: true, image: { repository: 'mirror.example/bitnamilegacy/redis-sentinel' } },
        },
      ],
      ['b', { image: { repository: 'quay.io/minio/minio' }, mcImage: { repository: 'bitnamilegacy/mc' } }],
    ]).map(({ release, image }) => [release, image]),
    [
      ['a', 'docker.io/bitnamilegacy/redis:7'],
      ['a', 'mirror.example/bitnamilegacy/redis-sentinel'],
      ['b', 'bitnamilegacy/mc'],
    ],
  );
});
