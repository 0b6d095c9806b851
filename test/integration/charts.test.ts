/** `ananta charts` through the real CLI and the real Helm, from a real repository and a real registry on loopback. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import * as tar from 'tar';
import { parse, stringify } from 'yaml';
import { readConfig } from '../../src/config.ts';
import { loadCatalog } from '../../src/catalog/index.ts';
import { externalEnvironment, type Ran, workspace, type Workspace } from '../cli/run-cli.ts';
import { helmBinary } from '../helm/helm.ts';
import { helmHome, packageChart, type Repository, serveRepository } from '../support/charts/chart-repository.ts';
import { certificates, guard, OPENSSL } from '../support/servers/tls.ts';
import { type Registry, registryProgram, startRegistry } from '../support/charts/oci-registry.ts';

const run = promisify(execFile);
/** The default platform: the one that most of the publishers' charts are for. */
const { services, upstreamCharts } = loadCatalog();
const serviceFrom = (chart: string): string => services.find((row) => row.chart.upstream === chart)!.name;
const REDIS = upstreamCharts['redis']!;
const JAEGER = upstreamCharts['jaeger']!;
/** An image of the platform's own. */
const OWN = services.find(({ image }) => image.own)!.image;

/** Two services from publishers' charts, all others bundled. */
const OVERRIDES = `chartOverrides: {${['redis', 'jaeger'].map((chart) => `${serviceFrom(chart)}: upstream`).join(', ')}}`;

interface Machine extends Workspace {
  cache: string;
  lockFile: string;
  /** Writes the environment `shop` anew. */
  mirror: (mirror: unknown, more?: string) => Promise<void>;
  cached: () => Promise<string[]>;
  json: (...args: string[]) => Promise<{
    charts: { chart: string; digest: string; fetched?: boolean; state?: string; change?: string }[];
    images?: string[];
  }>;
}

/** A cache without charts; the tools are those of the real one. */
async function machine(lockOf?: Machine): Promise<Machine> {
  const cache = join((await workspace()).folder, 'cache');
  await mkdir(cache, { recursive: true });
  await symlink(join(readConfig().cacheDir, 'tools'), join(cache, 'tools'));
  const space = await workspace(cache);
  // Not among the environments, where every file has to be one.
  const lockFile = lockOf?.lockFile ?? join(cache, '..', 'charts.lock.yaml');
  return {
    ...space,
    cache,
    lockFile,
    mirror: (mirror, more = OVERRIDES) =>
      space.environment(
        'shop',
        externalEnvironment({ more: `${more}\nchartLock: ${lockFile}\nchartMirror: ${JSON.stringify(mirror)}\n` }),
      ),
    cached: async () => (await readdir(join(cache, 'charts')).catch(() => [])).sort(),
    json: async (...args) => {
      const ran = await space.run(['charts', ...args, '--env', 'shop', '--json']);
      assert.equal(ran.code, 0, ran.stderr);
      return JSON.parse(ran.stdout) as Awaited<ReturnType<Machine['json']>>;
    },
    remove: async () => {
      await space.remove();
      await rm(join(cache, '..'), { recursive: true, force: true });
    },
  };
}

const charts = (space: Machine, ...args: string[]): Promise<Ran> => space.run(['charts', ...args, '--env', 'shop']);

describe("publishers' charts", () => {
  let helm: string;
  let served: string;
  let repository: Repository;
  let registry: Registry | undefined;
  const digests = new Map<string, string>();
  const machines: Machine[] = [];
  const fresh = async (lockOf?: Machine): Promise<Machine> => {
    const made = await machine(lockOf);
    machines.push(made);
    return made;
  };

  before(async () => {
    helm = await helmBinary();
    const space = await fresh();
    served = join(space.folder, 'served');
    await mkdir(served);
    for (const chart of [REDIS, JAEGER]) digests.set(chart.name, (await packageChart(helm, served, chart)).digest);
    repository = await serveRepository(helm, served);
    const program = await registryProgram();
    if (program === undefined) return;
    registry = await startRegistry(program);
    for (const chart of [REDIS, JAEGER]) {
      await run(
        helm,
        ['push', join(served, `${chart.name}-${chart.version}.tgz`), `oci://${registry.host}/mirror`, '--plain-http'],
        { env: helmHome(space.folder) },
      );
    }
  });
  after(async () => {
    await repository.close();
    await registry?.close();
    for (const { remove } of machines) await remove();
  });

  test('lock, pull, list, verify from a repository', async () => {
    const space = await fresh();
    await space.mirror(repository.url);
    const unlocked = await charts(space, 'pull');
    assert.equal(unlocked.code, 3);
    assert.match(
      unlocked.stderr,
      /2 charts that "shop" installs are not in the lock .*redis 20\.13\.4.*charts lock redis jaeger --env shop/s,
    );

    const locked = await space.json('lock', 'redis', 'jaeger');
    assert.deepEqual(
      locked.charts.map(({ chart, digest, change }) => [chart, digest, change]),
      [
        ['redis', digests.get('redis'), 'new'],
        ['jaeger', digests.get('jaeger'), 'new'],
      ],
    );
    assert.deepEqual(parse(await readFile(space.lockFile, 'utf8')), {
      charts: Object.fromEntries(
        [JAEGER, REDIS].map(({ name, version }) => [
          name,
          { version, digest: digests.get(name), source: repository.url },
        ]),
      ),
    });
    assert.deepEqual(await space.cached(), [], 'locking keeps nothing');

    const pulled = await space.json('pull');
    assert.deepEqual(
      pulled.charts.map(({ chart, fetched }) => [chart, fetched]),
      [
        ['redis', true],
        ['jaeger', true],
      ],
    );
    assert.deepEqual(
      await space.cached(),
      [JAEGER, REDIS].map(({ name, version }) => `${name}-${version}-${digests.get(name)!.slice(7, 19)}.tgz`),
    );
    repository.asked.length = 0;
    assert.deepEqual(
      (await space.json('pull')).charts.map(({ fetched }) => fetched),
      [false, false],
    );
    assert.equal((await charts(space, 'verify')).code, 0);
    assert.deepEqual(
      (await space.json('list')).charts.filter(({ state }) => state === 'ready').map(({ chart }) => chart),
      ['redis', 'jaeger'],
    );
    assert.deepEqual(repository.asked, [], 'what is there is not asked for');

    const [file] = await space.cached();
    await writeFile(join(space.cache, 'charts', file!), 'something else');
    const damaged = await charts(space, 'verify');
    assert.equal(damaged.code, 2);
    assert.match(damaged.stdout, /✘ jaeger 3\.4\.1 {2}damaged.*charts pull --env shop/s);
    assert.deepEqual(
      (await space.json('pull')).charts.map(({ chart, fetched }) => [chart, fetched]),
      [
        ['redis', false],
        ['jaeger', true],
      ],
    );

    assert.doesNotMatch((await charts(space, 'lock', 'redis')).stdout, /vouches/);
    await rm(space.lockFile);
    assert.match(
      (await charts(space, 'lock', 'redis')).stdout,
      /Only what was served just now vouches for redis\.[^]*from another network/,
    );
  });

  test('another archive under the same version is refused, with both digests', async () => {
    const space = await fresh();
    const other = join(space.folder, 'other');
    await mkdir(other);
    await copyFile(join(served, `jaeger-${JAEGER.version}.tgz`), join(other, `jaeger-${JAEGER.version}.tgz`));
    const { digest } = await packageChart(helm, other, REDIS, 'altered');
    const altered = await serveRepository(helm, other);
    try {
      await space.mirror(repository.url);
      await space.json('lock', 'redis', 'jaeger');
      const lock = await readFile(space.lockFile, 'utf8');
      await space.mirror(altered.url);
      const refused = await charts(space, 'pull');
      assert.equal(refused.code, 3);
      assert.match(
        refused.stderr,
        new RegExp(
          `Chart redis 20.13.4 from ${altered.url} is not the archive that the lock names: ${digests.get('redis')} is locked, ${digest} was found`,
        ),
      );
      assert.deepEqual(
        (await space.cached()).filter((name) => !name.startsWith('jaeger')),
        [],
        'nothing of it is kept',
      );
      // An index whose digest is not that of the archive that is served.
      await copyFile(join(served, `redis-${REDIS.version}.tgz`), join(other, `redis-${REDIS.version}.tgz`));
      const lying = await charts(space, 'lock', 'redis');
      assert.equal(lying.code, 3);
      assert.match(
        lying.stderr,
        new RegExp(`repository's own index names: ${digest} is indexed, redis-20.13.4.tgz has ${digests.get('redis')}`),
      );
      assert.equal(await readFile(space.lockFile, 'utf8'), lock, 'the lock stays');
      await packageChart(helm, other, REDIS, 'altered');
      await altered.index();
      const changed = await charts(space, 'lock', 'redis');
      assert.equal(changed.code, 0);
      assert.match(changed.stdout, /redis 20\.13\.4 .*ANOTHER ARCHIVE under the same version \(was sha256:/);
    } finally {
      await altered.close();
    }
  });

  test('a cut connection is tried again, a dead one is refused with what was tried and what to do', async () => {
    const space = await fresh();
    await space.mirror(repository.url);
    await space.json('lock', 'redis', 'jaeger');
    repository.cut(1);
    assert.equal((await space.json('pull')).charts.length, 2);
    await rm(join(space.cache, 'charts'), { recursive: true });
    repository.cut(100);
    const refused = await charts(space, 'pull');
    repository.cut(0);
    assert.equal(refused.code, 3);
    assert.match(
      refused.stderr,
      /2 charts cannot be had:\n.*Chart jaeger 3\.4\.1 cannot be fetched: http:\/\/127\.0\.0\.1:\d+\/charts: .*EOF.* \(3 attempts\)/s,
    );
    for (const way of [
      /charts pull --env shop/,
      /chartMirror: oci:\/\//,
      /charts bundle --env shop/,
      /chartOverrides: \{ SERVICE: bundled \}/,
    ])
      assert.match(refused.stderr, way);
    assert.deepEqual(await space.cached(), []);
  });

  test("from a registry the same archives come; nothing of the user's Helm and Docker is read or written", async (context) => {
    if (registry === undefined) {
      context.skip('there is no Go to build the registry with');
      return;
    }
    const space = await fresh();
    await space.mirror({ url: `oci://${registry.host}/mirror`, plainHttp: true });
    // If any of these were read, the command would fail.
    const mine = {
      '.docker/config.json': '{ broken',
      '.config/helm/registry/config.json': '{ broken',
      '.config/helm/repositories.yaml': '{ broken',
    };
    for (const [path, text] of Object.entries(mine)) {
      await mkdir(join(space.folder, path, '..'), { recursive: true });
      await writeFile(join(space.folder, path), text);
    }
    const locked = await space.json('lock', 'redis', 'jaeger');
    assert.deepEqual(
      locked.charts.map(({ digest }) => digest),
      [digests.get('redis'), digests.get('jaeger')],
    );
    assert.equal((await space.json('pull')).charts.length, 2);
    for (const [path, text] of Object.entries(mine))
      assert.equal(await readFile(join(space.folder, path), 'utf8'), text);
    assert.deepEqual((await readdir(space.folder)).sort(), ['.config', '.docker', 'shop.yaml']);
    const missing = await charts(space, 'lock', 'vault');
    assert.equal(missing.code, 3);
    assert.match(
      missing.stderr,
      new RegExp(`Chart vault 0.27.0 cannot be fetched: oci://${registry.host}/mirror/vault: `),
    );
    assert.doesNotMatch(missing.stderr, /attempts/, 'what is not there is not asked for again');
  });

  test("TLS with a certificate of one's own, and a login from a file: for a registry and for a repository", {
    skip: OPENSSL === undefined && 'needs openssl',
  }, async (context) => {
    const space = await fresh();
    const made = await certificates(join(space.folder, 'tls'));
    const plain = await guard(`127.0.0.1:${repository.port}`, made);
    try {
      const url = `https://${plain.host}/charts`;
      await space.mirror({ url });
      const distrusted = await charts(space, 'lock', 'redis', 'jaeger');
      assert.deepEqual([distrusted.code, /x509|certificate/.test(distrusted.stderr)], [3, true], distrusted.stderr);
      await space.mirror({ url, ca: made.ca });
      assert.deepEqual(
        (await space.json('lock', 'redis', 'jaeger')).charts.map(({ digest }) => digest),
        [digests.get('redis'), digests.get('jaeger')],
      );
      await space.mirror({ url, ca: made.ca, credentials: join(space.folder, 'login.json') });
      const unsupported = await charts(space, 'pull');
      assert.match(unsupported.stderr, /shop\.yaml: chartMirror\.credentials: are for a registry \(oci:\/\/\)/);
    } finally {
      await plain.close();
    }
    if (registry === undefined) {
      context.diagnostic('no registry program: the login was not tried');
      return;
    }
    const login = 'puller:a-password-for-the-mirror';
    const guarded = await guard(registry.host.replace('localhost', '127.0.0.1'), made, login);
    const file = join(space.folder, 'login.json');
    const mirror = { url: `oci://${guarded.host}/mirror`, ca: made.ca };
    const withLogin = (words: string): Promise<void> =>
      writeFile(file, JSON.stringify({ auths: { [guarded.host]: { auth: Buffer.from(words).toString('base64') } } }), {
        mode: 0o600,
      });
    try {
      for (const words of [undefined, 'puller:not-this-one']) {
        if (words !== undefined) await withLogin(words);
        await space.mirror(words === undefined ? mirror : { ...mirror, credentials: file });
        const refused = await charts(space, 'pull');
        assert.deepEqual(
          [refused.code, /401|unauthorized|authorization|denied|basic credential/i.test(refused.stderr)],
          [3, true],
          refused.stderr,
        );
        assert.equal(refused.stderr.includes('not-this-one'), false);
      }
      await withLogin(login);
      await space.mirror({ ...mirror, credentials: file });
      const before = guarded.refused();
      assert.ok(before > 0);
      assert.deepEqual(
        (await space.json('pull')).charts.map(({ fetched }) => fetched),
        [true, true],
      );
      const kept = JSON.parse(await readFile(file, 'utf8')) as { auths: Record<string, { auth: string }> };
      assert.equal(
        kept.auths[guarded.host]?.auth,
        Buffer.from(login).toString('base64'),
        'the file is read, not written',
      );
    } finally {
      await guarded.close();
    }
  });

  test('what no lock names any more is pruned, once it is old enough; what one names never', async () => {
    const space = await fresh();
    await space.mirror(repository.url);
    await space.json('lock', 'redis', 'jaeger');
    await space.json('pull');
    const named = await space.cached();
    const folder = join(space.cache, 'charts');
    await writeFile(join(folder, 'redis-1.0.0-0123456789ab.tgz'), 'of a lock before');
    await writeFile(join(folder, 'notes.txt'), 'of somebody else');
    const prune = async (): Promise<{ removed: string[]; kept: string[] }> => {
      const ran = await space.run(['charts', 'prune', '--json']);
      assert.equal(ran.code, 0, ran.stderr);
      return JSON.parse(ran.stdout) as { removed: string[]; kept: string[] };
    };
    assert.deepEqual((await prune()).removed, [], 'fetched just now');
    const longAgo = new Date(Date.now() - 40 * 86_400_000);
    for (const name of await space.cached()) await utimes(join(folder, name), longAgo, longAgo);
    assert.deepEqual((await prune()).removed, ['redis-1.0.0-0123456789ab.tgz']);
    assert.deepEqual(await space.cached(), [...named, 'notes.txt'].sort());
    assert.equal((await charts(space, 'verify')).code, 0);
  });

  test('a folder is a mirror, too; a proxy is honoured', async () => {
    const space = await fresh();
    await space.mirror(served);
    await space.json('lock', 'redis', 'jaeger');
    assert.equal((await space.json('pull')).charts.length, 2);
    await rm(join(space.cache, 'charts'), { recursive: true });
    await space.mirror('http://charts.example.test/charts');
    repository.asked.length = 0;
    const pulled = await space.run(['charts', 'pull', '--env', 'shop'], {
      env: { HTTP_PROXY: `http://127.0.0.1:${repository.port}` },
    });
    assert.equal(pulled.code, 0, pulled.stderr);
    assert.ok(
      repository.asked.includes(`http://charts.example.test/charts/redis-${REDIS.version}.tgz`),
      repository.asked.join(),
    );
    await space.mirror(join(space.folder, 'nothing'));
    await rm(join(space.cache, 'charts'), { recursive: true });
    assert.match((await charts(space, 'pull', 'redis')).stderr, /nothing: there is no file redis-20\.13\.4\.tgz/);
  });

  test('a bundle carries charts to a machine without network', async () => {
    const space = await fresh();
    await space.mirror(served);
    await space.json('lock', 'redis', 'jaeger');
    const file = join(space.folder, 'bundle.tgz');
    const made = await space.json('bundle', '--out', file);
    for (const image of [
      `docker.io/example/redis:${REDIS.version}`,
      'docker.io/library/postgres:16.11',
      `registry.example.test/ananta/${OWN.repository}:${OWN.tag}`,
    ])
      assert.ok(made.images?.includes(image), image);
    const first = await readFile(file);
    await space.json('bundle', '--out', file);
    assert.deepEqual(await readFile(file), first, 'made again it is the same');

    const offline = await fresh(space);
    await offline.mirror('http://127.0.0.1:1/charts');
    assert.equal((await charts(offline, 'verify')).code, 2);
    assert.deepEqual(
      (await offline.json('unbundle', file)).charts.map(({ chart, digest }) => [chart, digest]),
      [
        ['redis', digests.get('redis')],
        ['jaeger', digests.get('jaeger')],
      ],
    );
    assert.equal((await charts(offline, 'verify')).code, 0);
    assert.equal((await charts(offline, 'pull')).code, 0, 'nothing has to be fetched');

    // A bundle that somebody has unpacked, changed and packed again.
    const opened = join(space.folder, 'opened');
    await mkdir(opened);
    await tar.extract({ file, cwd: opened });
    await packageChart(helm, join(opened, 'charts'), REDIS, 'altered');
    await tar.create({ file, gzip: true, cwd: opened }, ['bundle.json', 'images.txt', 'charts']);
    await rm(join(offline.cache, 'charts'), { recursive: true });
    const refused = await charts(offline, 'unbundle', file);
    assert.equal(refused.code, 3);
    assert.match(
      refused.stderr,
      new RegExp(
        `redis 20.13.4: ${digests.get('redis')} is locked, the bundle has sha256:[0-9a-f]{64} \\(and says ${digests.get('redis')}\\)`,
      ),
    );
    assert.deepEqual(await offline.cached(), []);
    await writeFile(file, 'no archive');
    assert.match((await charts(offline, 'unbundle', file)).stderr, /is no bundle of charts/);
  });

  test('a deployment without its charts is refused before anything is started', async () => {
    const space = await fresh();
    await cp(join(readConfig().repoRoot, 'environments', '_base.yaml'), join(space.folder, '_base.yaml'));
    await space.environment(
      'shop',
      stringify({
        extends: '_base',
        description: 'for a test',
        cluster: { embedded: { nodes: 1 } },
        engine: { embedded: true },
        charts: 'bundled',
        chartOverrides: { [serviceFrom('argo-cd')]: 'upstream', [serviceFrom('jaeger')]: 'upstream' },
        domain: 'x.test',
        suppliedSecrets: 'placeholder',
        chartMirror: 'http://127.0.0.1:1/charts',
        chartLock: space.lockFile,
      }),
    );
    const unlocked = await space.run(['deploy', '--env', 'shop']);
    assert.equal(unlocked.code, 3);
    assert.match(unlocked.stderr, /2 charts that "shop" installs are not in the lock/);
    await writeFile(
      space.lockFile,
      stringify({
        charts: Object.fromEntries(
          Object.entries(upstreamCharts).map(([key, { version }]) => [
            key,
            { version, digest: `sha256:${'0'.repeat(64)}`, source: 'x' },
          ]),
        ),
      }),
    );
    const refused = await space.run(['deploy', '--env', 'shop']);
    assert.equal(refused.code, 3);
    assert.match(
      refused.stderr,
      /2 charts cannot be had:.*Chart argo-cd 5\.46\.8 cannot be fetched: http:\/\/127\.0\.0\.1:1\/charts: .*connection refused/s,
    );
    assert.deepEqual(await space.state(), [], 'nothing was started');
    await writeFile(space.lockFile, 'charts: { redis: { version: 1 } }');
    const broken = await space.run(['deploy', '--env', 'shop']);
    assert.equal(broken.code, 3);
    assert.match(broken.stderr, /charts\.lock\.yaml: charts\.redis\.version: .*charts\.redis\.digest/);
  });
});
