/** Values of the platforms of the checkout: what is written by hand fits what the catalogs say. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import { VAULT_CA_SECRET } from '../../src/contract/names.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { helmFolder } from '../../src/environment/platform-folder.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { criticalPath } from '../../src/plan/graph.ts';
import { serviceSeconds } from '../../src/plan/inputs/startup.ts';
import { overlay } from '../../src/plan/inputs/values.ts';
import { allReleases, findService } from '../../src/plan/releases.ts';
import { wantedSecrets } from '../../src/plan/vault/kubernetes-secrets.ts';
import { wholeMini } from '../support/mini.ts';

const ananta = loadCatalog();
const PLATFORMS = [
  ['ananta', ananta],
  ['mini', await wholeMini()],
] as const;
const config = readConfig({});
let sandbox: Environment;
let prod: Environment;
before(async () => {
  [sandbox, prod] = await Promise.all([loadEnvironment('sandbox', config), loadEnvironment('prod', config)]);
});

test('start-up times make a longest path of 30 to 40 seconds on the sandbox', () => {
  const seconds = new Map(ananta.services.map((service) => [service.name, serviceSeconds(sandbox, service)]));
  const longest = criticalPath(ananta.services, (name) => seconds.get(name) ?? 0);
  assert.ok(longest.seconds >= 30 && longest.seconds <= 40, `${longest.seconds} s: ${longest.path.join(' → ')}`);
});

for (const [platform, catalog] of PLATFORMS)
  test(`${platform} has no values file for a release or chart that it does not have`, async () => {
    const values = join(helmFolder({ platform }, config), 'values');
    const names = new Set(allReleases(catalog).map(({ name }) => `${name}.yaml`));
    const files = (await readdir(values)).filter((name) => name.endsWith('.yaml'));
    assert.deepEqual(
      files.filter((file) => !names.has(file)),
      [],
    );
    // Those of the checkout serve every platform.
    const charts = Object.values(catalog.upstreamCharts).map(({ name }) => `${name}.yaml`);
    const upstream = join(values, 'upstream');
    if (existsSync(upstream)) assert.deepEqual(new Set(await readdir(upstream)), new Set(charts));
  });

describe('public hosts', () => {
  test('what has no login of its own has none', () => {
    for (const name of ['supabase-studio', 'supabase-meta', 'temporal-ui', 'jaeger', 'vault'])
      assert.equal(findService(ananta, name).publicHost, undefined, name);
  });

  test('every address that services are told leads to one, but for those that need a proxy with a login', () => {
    const folder = join(config.repoRoot, 'helm');
    const texts = readdirSync(join(folder, 'values'), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => readFileSync(join(folder, 'values', name), 'utf8'));
    const realm = readFileSync(join(folder, 'realms', 'ananta-saas.json'), 'utf8');
    const told = [
      ...texts.flatMap((text) => [...text.matchAll(/https:\/\/([a-z-]+)\.\{\{ \.Values\.global\.domain/g)]),
      ...realm.matchAll(/https:\/\/([a-z-]+)\.\$\(env:PLATFORM_DOMAIN\)/g),
    ].map(([, host]) => host!);
    assert.ok(new Set(told).size > 12);
    const open = ananta.services.flatMap(({ publicHost }) => publicHost?.name ?? []);
    assert.deepEqual([...new Set(told.filter((host) => !open.includes(host)))], ['temporal']);
  });
});

for (const [platform, catalog] of PLATFORMS)
  describe(`no secret value stands in any values of ${platform}`, () => {
    /** Values of keys that sound like a credential: all of them have to be names, never contents. */
    const SUSPICIOUS = /password|secret|token|credential|apikey|accesskey|cookie|private/i;
    const names = new Set([
      ...wantedSecrets(catalog).flatMap(({ name, keys, path }) => [name, path, ...keys]),
      ...catalog.secretPaths.flatMap(({ path, keys }) => [path, ...keys.map(({ name }) => name)]),
      // Certificates.
      ...catalog.services.map(({ name }) => `${name}-tls`),
      VAULT_CA_SECRET,
    ]);

    function suspects(value: unknown, key = ''): string[] {
      if (Array.isArray(value)) return value.flatMap((entry) => suspects(entry, key));
      if (typeof value === 'object' && value !== null)
        return Object.entries(value).flatMap(([name, entry]) => suspects(entry, `${key}.${name}`));
      return typeof value === 'string' && SUSPICIOUS.test(key) && !names.has(value) ? [`${key}: ${value}`] : [];
    }

    for (const environment of ['sandbox', 'prod'] as const) {
      test(environment, () => {
        const chosen = { ...(environment === 'sandbox' ? sandbox : prod), platform };
        const found = allReleases(catalog)
          .filter(({ kind }) => kind === 'release')
          .flatMap((release) => suspects(overlay(catalog, chosen, release, {}), release.name))
          // Names of Secrets with which images are pulled.
          .filter((line) => !/pullSecrets/i.test(line));
        assert.deepEqual(found, []);
      });
    }
  });
