import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { parse } from 'yaml';
import { readConfig } from '../../../src/config.ts';
import { loadEnvironment } from '../../../src/environment/load.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { digestOf, folderDigest } from '../../../src/plan/digest.ts';
import { allDigests, allReleaseInputs, releaseInputs } from '../../../src/plan/inputs/release-inputs.ts';
import { allReleases, findRelease } from '../../../src/plan/releases.ts';
import type { Catalog, Step } from '../../../src/catalog/schema.ts';
import { soundSample } from '../../catalog/sample.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';

let folder = '';
let sandbox: Environment;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-inputs-'));
  sandbox = await loadEnvironment('sandbox', readConfig({}));
});
after(async () => {
  await rm(folder, { recursive: true });
});

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
}

describe('digest of a chart folder', () => {
  let chart = '';
  beforeEach(async () => {
    chart = await mkdtemp(join(folder, 'chart-'));
    await write(join(chart, 'library', 'templates', '_pod.tpl'), 'pod');
    await write(join(chart, 'service', 'Chart.yaml'), 'name: service');
    await write(join(chart, 'service', 'templates', 'all.yaml'), 'all');
    await mkdir(join(chart, 'service', 'charts'));
    await symlink('../../library', join(chart, 'service', 'charts', 'library'));
  });
  const digest = (): Promise<string> => folderDigest(join(chart, 'service'));

  test('is the same for a copy', async () => {
    const copy = await mkdtemp(join(folder, 'copy-'));
    await cp(join(chart, 'service'), copy, { recursive: true, dereference: true });
    assert.equal(await folderDigest(copy), await digest());
  });

  test('does not mind what editors leave behind', async () => {
    const first = await digest();
    for (const leftover of ['.all.yaml.swp', 'all.yaml~', '#all.yaml#', '.DS_Store', 'all.yaml.orig', 'all.yaml.bak']) {
      await write(join(chart, 'service', 'templates', leftover), leftover);
    }
    assert.equal(await digest(), first);
  });

  const CHANGES: [string, () => Promise<void>][] = [
    ['a changed file', () => write(join(chart, 'service', 'templates', 'all.yaml'), 'other')],
    ['a new file', () => write(join(chart, 'service', 'templates', 'more.yaml'), '')],
    [
      'a renamed file',
      () => rename(join(chart, 'service', 'templates', 'all.yaml'), join(chart, 'service', 'templates', 'one.yaml')),
    ],
    ['a change of the library it links', () => write(join(chart, 'library', 'templates', '_pod.tpl'), 'other')],
    ['a new .helmignore', () => write(join(chart, 'service', '.helmignore'), '*.md')],
  ];
  for (const [name, change] of CHANGES) {
    test(`notices ${name}`, async () => {
      const first = await digest();
      await change();
      assert.notEqual(await digest(), first);
    });
  }

  test('refuses a folder that is not there', async () => {
    await assert.rejects(folderDigest(join(chart, 'nowhere')), /ENOENT/);
  });
});

test('a digest does not depend on the order of keys, but on that of lists', () => {
  assert.equal(digestOf({ a: 1, b: { c: 2, d: 3 } }), digestOf({ b: { d: 3, c: 2 }, a: 1 }));
  assert.notEqual(digestOf([1, 2]), digestOf([2, 1]));
  assert.match(digestOf({}), /^[0-9a-f]{16}$/);
});

describe('inputs of a release', () => {
  const catalog = soundSample();
  let repoRoot = '';
  beforeEach(async () => {
    repoRoot = await mkdtemp(join(folder, 'repo-'));
    for (const chart of ['service', 'job', 'postgresql'])
      await write(join(repoRoot, 'helm', 'charts', chart, 'Chart.yaml'), `name: ${chart}`);
    await write(join(repoRoot, 'helm', 'values', 'api.yaml'), 'env: { MODE: fast }\nreplicaCount: 9\n');
    await write(join(repoRoot, 'helm', 'migrations', 'migrate', 'V1__first.sql'), 'select 1;');
    await write(join(repoRoot, 'helm', 'migrations', 'migrate', 'V2__second.sql'), 'select 2;');
    await write(join(repoRoot, 'helm', 'realms', 'realm.json'), '{"realm": "realm"}');
  });
  const inputs = (name: string, tags: Record<string, string> = {}) =>
    releaseInputs(catalog, sandbox, findRelease(catalog, name), tags, { repoRoot, cacheDir: repoRoot });

  test('are the file under what follows from catalog and environment', async () => {
    const values = parse((await inputs('api')).values) as Record<string, unknown>;
    assert.deepEqual(values['env'], { MODE: 'fast' });
    assert.equal(values['replicaCount'], 1);
    assert.equal(values['fullnameOverride'], 'api');
  });

  test('need no file', async () => {
    assert.equal((parse((await inputs('web')).values) as { fullnameOverride: string }).fullnameOverride, 'web');
  });

  test('carry the migrations of a Job, and name it after its content', async () => {
    // The sample's realm Job is its migration Job as well: migrations come first.
    const first = await inputs('migrate');
    const values = parse(first.values) as { files: { sql: Record<string, string> }; job: { name: string } };
    assert.deepEqual(values.files.sql, { 'V1__first.sql': 'select 1;', 'V2__second.sql': 'select 2;' });
    assert.equal(values.job.name, `migrate-${first.digest.slice(0, 8)}`);

    await write(join(repoRoot, 'helm', 'migrations', 'migrate', 'V3__third.sql'), 'select 3;');
    assert.notEqual((await inputs('migrate')).digest, first.digest);
  });

  test('have a digest over chart, file and image', async () => {
    const first = (await inputs('api')).digest;
    assert.equal((await inputs('api')).digest, first);
    const withTag = (await inputs('api', { api: '2.0.0' })).digest;
    await write(join(repoRoot, 'helm', 'values', 'api.yaml'), 'env: { MODE: slow }\n');
    const withFile = (await inputs('api')).digest;
    await write(join(repoRoot, 'helm', 'charts', 'service', 'Chart.yaml'), 'name: service\nversion: 2');
    const withChart = (await inputs('api')).digest;
    assert.equal(new Set([first, withTag, withFile, withChart]).size, 4);
  });

  test('name the file that is no YAML', async () => {
    await write(join(repoRoot, 'helm', 'values', 'api.yaml'), 'env: [');
    await assert.rejects(inputs('api'), /helm\/values\/api\.yaml is not valid YAML/);
  });
});

/** Shows the platform's releases in Argo CD. */
const APPLICATIONS: Step = {
  kind: 'release',
  name: 'applications',
  chart: 'platform-applications',
  job: false,
  secrets: [],
  startupSeconds: 1,
};

describe('inputs of the whole platform', async () => {
  const config = readConfig({});
  const mini = await miniCatalog();
  const environment = await miniEnvironment();
  const services = mini.services.map((service) =>
    service.name === 'operator' ? { ...service, after: [APPLICATIONS] } : service,
  );
  const applicationSet = { name: 'all', namespace: 'operators', namespaces: ['data', 'apps'] };
  const catalog: Catalog = { ...mini, services, applicationSet };

  test('are the same one by one and all at once', async () => {
    const all = await allReleaseInputs(catalog, environment, {}, config);
    const digests = await allDigests(catalog, environment, {}, config);
    const names = allReleases(catalog)
      .filter(({ kind }) => kind === 'release')
      .map(({ name }) => name);
    assert.deepEqual([...all.keys()], names);
    assert.deepEqual(
      [...digests],
      names.map((name) => [name, all.get(name)?.digest]),
    );
    assert.deepEqual(
      await releaseInputs(catalog, environment, findRelease(catalog, 'auth'), {}, config),
      all.get('auth'),
    );
  });

  test('tell Argo CD every release of the described namespaces, but no Job, and no tag that is only tried', async () => {
    const release = findRelease(catalog, APPLICATIONS.name);
    const { values, digest } = await releaseInputs(catalog, environment, release, {}, config);
    const { releases } = parse(values) as { releases: Record<string, { name: string; chart: string }[]> };
    assert.deepEqual(Object.keys(releases), catalog.applicationSet!.namespaces);
    assert.deepEqual(
      releases['data']?.map(({ name, chart }) => `${name} ${chart}`),
      ['database postgresql', 'storage minio'],
    );
    assert.equal((await releaseInputs(catalog, environment, release, { auth: 'trial' }, config)).digest, digest);
  });
});
