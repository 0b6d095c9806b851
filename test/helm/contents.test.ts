import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { loadEnvironment } from '../../src/environment/load.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { releaseInputs } from '../../src/plan/inputs/release-inputs.ts';
import { networkPeers } from '../../src/plan/inputs/network.ts';
import { allReleases, findRelease } from '../../src/plan/releases.ts';
import { goldenObjects } from './golden.ts';
import { catalog, config } from './helm.ts';

const environment = await loadEnvironment('sandbox', config);
const folder = join(config.repoRoot, 'helm');
const valuesText = (release: string): string => readFileSync(join(folder, 'values', `${release}.yaml`), 'utf8');
const valuesOf = (
  release: string,
): {
  env?: Record<string, string>;
  envFromSecret?: Record<string, { secret: string; key: string }>;
  files?: Record<string, Record<string, string>>;
} => parse(valuesText(release)) as ReturnType<typeof valuesOf>;

test('every release has a values file, and every values file a release', () => {
  const releases = allReleases(catalog)
    .filter(({ kind }) => kind === 'release')
    .map(({ name }) => `${name}.yaml`);
  assert.deepEqual(
    readdirSync(join(folder, 'values'))
      .filter((name) => name.endsWith('.yaml'))
      .sort(),
    releases.sort(),
  );
});

describe('what Jobs make is what the catalog says', () => {
  test('databases, with their owners and passwords', () => {
    for (const { server, name, owner, password } of catalog.databases) {
      const job = valuesOf(`${server}-databases`);
      const sql = job.files?.['sql']?.['databases.sql'] ?? '';
      assert.match(sql, new RegExp(`CREATE DATABASE ${name} OWNER ${owner}'`), `${server}/${name}`);
      const [, variable] =
        new RegExp(`ALTER ROLE :"${owner}_username" WITH LOGIN.* PASSWORD :'(\\w+)'`).exec(sql) ?? [];
      const [, environment] = new RegExp(`\\\\getenv ${variable} (\\w+)`).exec(sql) ?? [];
      const reference = job.envFromSecret?.[environment ?? ''];
      assert.deepEqual(reference, { secret: password.path, key: password.key }, `${server}/${name}`);
    }
  });

  test('buckets', () => {
    for (const { job, buckets } of catalog.bucketSets) {
      const values = valuesOf(job);
      assert.deepEqual(values.env?.['BUCKETS']?.split(' '), buckets);
      const policy = JSON.parse(values.files?.['policy']?.['applications.json'] ?? '{}') as {
        Statement: { Resource: string[] }[];
      };
      assert.deepEqual(
        policy.Statement.flatMap(({ Resource }) => Resource),
        buckets.flatMap((bucket) => [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`]),
      );
    }
  });

  test('Temporal namespaces', () => {
    const { env = {} } = valuesOf('temporal-init');
    assert.deepEqual(
      env['NAMESPACES']?.split(' '),
      catalog.temporalNamespaces.map(({ name }) => name),
    );
    assert.deepEqual([...new Set(catalog.temporalNamespaces.map(({ retention }) => retention))], [env['RETENTION']]);
  });

  test('the realm with its clients, and no secret', () => {
    const text = readFileSync(join(folder, catalog.realm!.file), 'utf8');
    const realm = JSON.parse(text) as {
      realm: string;
      clients: { clientId: string; publicClient: boolean; secret?: string; redirectUris?: string[] }[];
    };
    assert.equal(realm.realm, catalog.realm!.name);
    assert.deepEqual(
      realm.clients.map(({ clientId, publicClient }) => [clientId, publicClient]),
      catalog.realm!.clients.map(({ clientId, public: open }) => [clientId, open]),
    );
    for (const { clientId, publicClient, secret, redirectUris } of realm.clients) {
      if (publicClient)
        assert.ok(
          redirectUris?.every((uri) => uri.startsWith('https://') && !uri.startsWith('https://*')),
          clientId,
        );
      else assert.match(secret ?? '', /^\$\(env:\w+\)$/, clientId);
    }
    const variables = new Set([...text.matchAll(/\$\(env:(\w+)\)/g)].map(([, name]) => name ?? ''));
    const job = valuesOf(catalog.realm!.job);
    for (const variable of variables)
      assert.ok(variable in { ...job.env, ...job.envFromSecret }, `${variable} is not set in ${catalog.realm!.job}`);
  });

  test('migrations are numbered without gaps', () => {
    for (const { service, location } of catalog.migrations) {
      const numbers = readdirSync(join(folder, location))
        .map((name) => Number(/^V(\d+)__\w+\.sql$/.exec(name)?.[1]))
        .sort((a, b) => a - b);
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => index + 1),
        service,
      );
    }
  });
});

describe('the ApplicationSet', () => {
  test('names the namespaces of the catalog, and what runs in them, and synchronises nothing', () => {
    const objects = goldenObjects().find(({ release }) => release.name === 'ananta-platform')?.objects ?? [];
    const set = objects.find(({ kind }) => kind === 'ApplicationSet')?.spec as {
      generators: { list: { elements: { namespace: string; releases: { name: string }[] }[] } }[];
      template: { spec: object };
      templatePatch: string;
    };
    const elements = set.generators[0]?.list.elements ?? [];
    assert.deepEqual(
      elements.map(({ namespace }) => namespace),
      catalog.applicationSet!.namespaces,
    );
    for (const { namespace, releases } of elements) {
      assert.deepEqual(
        releases.map(({ name }) => name).sort(),
        allReleases(catalog)
          .filter((release) => release.namespace === namespace && !release.job)
          .map(({ name }) => name)
          .sort(),
      );
    }
    assert.doesNotMatch(JSON.stringify(set.template) + set.templatePatch, /automated/);
  });

  test('has all values of a release that the environment says something of: the values file counts no more', async () => {
    const shown = async (values: Environment['values']): Promise<Record<string, unknown> | undefined> => {
      const said = { ...environment, values };
      const inputs = await releaseInputs(catalog, said, findRelease(catalog, 'ananta-platform'), {}, config);
      const { releases } = JSON.parse(inputs.values) as { releases: Record<string, { name: string }[]> };
      return Object.values(releases)
        .flat()
        .find(({ name }) => name === 'novu-worker');
    };
    const [before, after] = await Promise.all([shown({}), shown({ 'novu-worker': { env: { S3_REGION: null } } })]);
    assert.equal(before?.['whole'], undefined);
    assert.equal(after?.['whole'], true);
    const { env } = after['values'] as { env: Record<string, string> };
    const { S3_REGION: region, ...others } = valuesOf('novu-worker').env ?? {};
    assert.notEqual(region, undefined);
    assert.equal(env['S3_REGION'], undefined);
    assert.deepEqual(
      Object.keys(others).filter((name) => !(name in env)),
      [],
    );
  });
});

test('whoever is called by a release lets it in, on a port that it has', () => {
  for (const { release, objects } of goldenObjects()) {
    if (release.name === 'ananta-platform') continue;
    const calls = [
      ...JSON.stringify(objects.map(({ spec, data }) => [spec, data])).matchAll(
        /\b([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?::(\d+))?/g,
      ),
    ];
    for (const [call, name, namespace, port] of calls) {
      const target = catalog.services.find((service) => service.name === name && service.namespace === namespace);
      if (name === release.name || name === `${release.name}-headless`) continue;
      assert.ok(target, `${release.name} calls ${call}, which is no service of the catalog`);
      assert.ok(
        networkPeers(catalog, target).some(
          (peer) => peer.instance === release.name && peer.namespace === release.namespace,
        ),
        `${release.name} calls ${call}, whose NetworkPolicy keeps it out: dependsOn or talksTo is missing in the catalog`,
      );
      if (port !== undefined)
        assert.ok(
          target.ports.some((candidate) => candidate.port === Number(port)),
          `${release.name} calls ${call}, which has no such port`,
        );
    }
  }
});
