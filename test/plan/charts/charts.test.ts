import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { Catalog, UpstreamChart } from '../../../src/catalog/schema.ts';
import { readConfig } from '../../../src/config.ts';
import { chartMirrorSchema } from '../../../src/environment/fields/charts.ts';
import { loadEnvironment } from '../../../src/environment/load.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { type ChartLock, ChartLockError, readChartLock, writtenLock } from '../../../src/plan/charts/lock.ts';
import { checkChartSource, chartSource, PlanRefusedError } from '../../../src/plan/charts/source.ts';
import { frozenImages } from '../../../src/plan/images/frozen.ts';
import { allDigests, releaseInputs } from '../../../src/plan/inputs/release-inputs.ts';
import { findRelease, findService } from '../../../src/plan/releases.ts';
import { archivePath, placeName, wantedChart, wantedCharts } from '../../../src/plan/charts/wanted.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';

const mini = await miniCatalog();
const config = readConfig({});
const POSTGRESQL = mini.upstreamCharts['postgresql']!;
/** Of a publisher that serves no OCI; of a service that keeps no data. */
const KEYCLOAK: UpstreamChart = {
  name: 'keycloak',
  component: 'Keycloak',
  versionLine: '21.x',
  version: '21.8.0',
  repository: 'https://charts.example.org',
};
const catalog: Catalog = {
  ...mini,
  upstreamCharts: { ...mini.upstreamCharts, keycloak: KEYCLOAK },
  services: mini.services.map((service) =>
    service.name === 'auth' ? { ...service, chart: { ...service.chart, upstream: 'keycloak' } } : service,
  ),
};
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const locked = (version = POSTGRESQL.version): ChartLock => ({
  charts: { postgresql: { version, digest: digest('a'), source: 'x' } },
});
let prod: Environment;
before(async () => {
  prod = await miniEnvironment('prod');
});

describe('which chart a service is made from', () => {
  const source = (name: string, choice: Partial<Environment> = {}): string =>
    chartSource({ charts: 'upstream', chartOverrides: {}, ...choice }, findService(catalog, name));
  test('the environment says it, for one service its override does', () => {
    assert.equal(source('database'), 'upstream');
    assert.equal(source('database', { chartOverrides: { database: 'bundled' } }), 'bundled');
    assert.equal(source('database', { charts: 'bundled', chartOverrides: { database: 'upstream' } }), 'upstream');
    assert.equal(source('api'), 'bundled', 'there is no other');
  });

  test('it is not changed under a release, whether or not it holds data', () => {
    const release = (status: 'deployed' | 'uninstalled') => ({
      releases: new Map(
        ['data/database', 'apps/auth', 'apps/api'].map((key) => [
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
          /data of these services was written by.*: database \(bundled, upstream is asked for\)\. .*these releases were made from.*: auth \(bundled/,
        );
        assert.match(error.message, /chartOverrides: \{ database: bundled, auth: bundled \}/);
        assert.match(error.message, /helm uninstall auth --namespace apps/);
        assert.doesNotMatch(error.message, /helm uninstall database|api/, 'nobody is told to remove data');
        return true;
      },
    );
    checkChartSource(
      catalog,
      { ...prod, chartOverrides: { database: 'bundled', auth: 'bundled' } },
      release('deployed'),
    );
    checkChartSource(catalog, prod, release('uninstalled'));
  });
});

describe('where a chart is fetched from', () => {
  const place = (chartMirror: Environment['chartMirror'], chart = POSTGRESQL): string =>
    placeName(wantedChart('postgresql', chart, { chartMirror }, locked(), { repoRoot: '/repo' }).place);
  test('its publisher, or the mirror alone', () => {
    assert.equal(place(undefined), 'oci://registry-1.docker.io/bitnamicharts/postgresql');
    assert.equal(place(undefined, KEYCLOAK), 'https://charts.example.org');
    assert.equal(place('oci://registry.example/charts/', KEYCLOAK), 'oci://registry.example/charts/keycloak');
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
      { ...prod, charts: 'bundled', chartOverrides: { auth: 'upstream' } },
      { charts: {} },
      config,
    ).filter(({ services }) => services.length > 0);
    assert.deepEqual(
      used.map(({ key, services }) => [key, services]),
      [['keycloak', ['auth']]],
    );
  });

  test('an override names a service that has a choice', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'charts-'));
    try {
      await writeFile(
        join(folder, 'x.yaml'),
        'description: x\ncluster: {context: c}\nengine: {address: "h:1", namespace: n}\ncharts: upstream\nplatform: mini\nchartOverrides: {databse: bundled, api: bundled}\ndomain: d\nimages: {prefix: p}\ngitops: {repoURL: "https://r"}\n',
      );
      await assert.rejects(
        loadEnvironment('x', { ...config, environmentsDir: folder }),
        /chartOverrides\.databse: there is no service with a publisher's chart "databse", did you mean "database".*chartOverrides\.api: there is no service/s,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the lock', () => {
  test('is for one version: another one is not locked', () => {
    assert.equal(wantedChart('postgresql', POSTGRESQL, {}, locked(), config).digest, digest('a'));
    assert.equal(wantedChart('postgresql', POSTGRESQL, {}, locked('20.0.0'), config).digest, undefined);
    assert.equal(
      archivePath({ cacheDir: '/c' }, { name: 'redis', version: '1', digest: digest('a') }),
      '/c/charts/redis-1-aaaaaaaaaaaa.tgz',
    );
  });

  test('is written in order, and read as it was written; what is broken is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lock-'));
    const file = join(folder, 'lock.yaml');
    try {
      assert.deepEqual(await readChartLock(file), { charts: {} });
      const lock = { charts: { vault: { version: '1', digest: digest('b'), source: 's' }, ...locked().charts } };
      const text = writtenLock(lock);
      assert.ok(text.indexOf('postgresql:') < text.indexOf('vault:'));
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
      (await releaseInputs(catalog, environment, findRelease(catalog, 'database'), {}, config)).digest;
    try {
      await writeFile(file, writtenLock(locked()));
      const environment = { ...prod, chartLock: file };
      const before = await made(environment);
      assert.equal(await made({ ...environment, chartMirror: './mirror' }), before);
      await writeFile(
        file,
        writtenLock({ charts: { postgresql: { ...locked().charts['postgresql']!, digest: digest('c') } } }),
      );
      assert.notEqual(await made(environment), before);
      assert.notEqual(await made({ ...environment, chartOverrides: { database: 'bundled' } }), before);
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
