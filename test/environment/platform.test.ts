import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { CatalogError, loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { chartFolder, helmFolder } from '../../src/environment/platform-folder.ts';
import { listPlatforms, loadPlatform, PlatformError } from '../../src/environment/platform.ts';
import { sampleCatalog } from '../catalog/sample.ts';

const config = readConfig({});
const of = (platform: string, platformParameters: Record<string, string | number> = {}) => ({
  platform,
  platformParameters,
});

describe('platforms', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ananta-platforms-'));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  /** @param files of a platform called `shop`; each time in a folder of its own */
  async function shop(files: Record<string, string>): Promise<string> {
    const path = join(await mkdtemp(join(folder, 'case-')), 'shop');
    await mkdir(path);
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(path, name), text)));
    return path;
  }

  const SAMPLE = { ...sampleCatalog(), name: 'shop' };

  test('the default one is the catalog, with the charts and values of helm/', async () => {
    assert.equal(await loadPlatform(of('ananta'), config), loadCatalog());
    assert.equal(helmFolder(of('ananta'), config), join(config.repoRoot, 'helm'));
  });

  test('all of the checkout can be read', async () => {
    const names = await listPlatforms(config);
    assert.ok(names.includes('ananta') && names.includes('mini'), names.join(', '));
    for (const name of names) assert.equal((await loadPlatform(of(name), config)).name, name);
  });

  test('one of your own, as data, by its path; charts are its own first, then those of the checkout', async () => {
    const path = await shop({ 'platform.yaml': stringify(SAMPLE) });
    assert.deepEqual(
      (await loadPlatform(of(path), config)).services.map(({ name }) => name),
      SAMPLE.services.map(({ name }) => name),
    );
    await mkdir(join(path, 'helm', 'charts', 'service'), { recursive: true });
    assert.equal(chartFolder(of(path), 'service', config), join(path, 'helm', 'charts', 'service'));
    assert.equal(chartFolder(of(path), 'job', config), join(config.repoRoot, 'helm', 'charts', 'job'));
  });

  test('one that is computed gets the parameters of its environment', async () => {
    const path = await shop({
      'platform.ts': `const rows = ${JSON.stringify(SAMPLE)};\nexport default ({ title }: { title: string }) => ({ ...rows, title });\n`,
    });
    assert.equal((await loadPlatform(of(path, { title: 'Ours' }), config)).title, 'Ours');
  });

  const REFUSALS: { name: string; files: Record<string, string>; says: RegExp; parameters?: Record<string, string> }[] =
    [
      { name: 'a folder without a description', files: {}, says: /neither platform\.yaml nor platform\.ts in/ },
      { name: 'broken YAML', files: { 'platform.yaml': 'name: [' }, says: /platform\.yaml is not valid YAML/ },
      {
        name: 'a name that is not that of its folder',
        files: { 'platform.yaml': stringify({ ...SAMPLE, name: 'store' }) },
        says: /calls itself "store", and lies in the folder "shop"/,
      },
      { name: 'a module that throws', files: { 'platform.ts': 'throw new Error("no");' }, says: /cannot be used: no/ },
      { name: 'a module without a description', files: { 'platform.ts': 'export {};' }, says: /has no default export/ },
      {
        name: 'parameters for plain data',
        files: { 'platform.yaml': stringify(SAMPLE) },
        parameters: { size: '3' },
        says: /takes no parameter "size"/,
      },
    ];
  for (const { name, files, says, parameters } of REFUSALS)
    test(`refuses ${name}`, async () => {
      await assert.rejects(loadPlatform(of(await shop(files), parameters), config), (error: Error) => {
        assert.ok(error instanceof PlatformError, error.stack);
        assert.match(error.message, says);
        return true;
      });
    });

  test('names the file of a description that contradicts itself', async () => {
    const broken = { ...SAMPLE, services: SAMPLE.services.map((row) => ({ ...row, namespace: 'nowhere' })) };
    const path = await shop({ 'platform.yaml': stringify(broken) });
    await assert.rejects(loadPlatform(of(path), config), (error: Error) => {
      assert.ok(error instanceof CatalogError, error.stack);
      assert.match(error.message, /shop\/platform\.yaml: api\.namespace: unknown namespace "nowhere"/);
      return true;
    });
  });

  test('an environment that names an unknown one is refused, with the nearest name', async () => {
    const environmentsDir = await mkdtemp(join(folder, 'environments-'));
    await writeFile(
      join(environmentsDir, 'x.yaml'),
      stringify({
        description: 'x',
        platform: 'mimi',
        cluster: { embedded: {} },
        engine: { embedded: true },
        charts: 'bundled',
        domain: 'x.localhost',
        images: { prefix: 'registry.example.org' },
        gitops: { repoURL: 'https://git.example.org/x.git' },
      }),
    );
    await assert.rejects(
      loadEnvironment('x', { ...config, environmentsDir }),
      /x\.yaml: platform: there is no platform "mimi", did you mean "mini"\? Known: ananta, mini/,
    );
  });
});
