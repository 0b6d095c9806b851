/** What each service that a stand-in plays connects to, by its rendered pods: names, ports, credentials, order. */
import assert from 'node:assert/strict';
import { describe as suite, test } from 'node:test';
import { loadCatalog } from '../../../src/catalog/index.ts';
import type { Service } from '../../../src/catalog/schema.ts';
import { type Check, isRemote, type RemoteCheck } from './check.ts';
import { before, connectionsOf, IN_BROWSER, ORDER_ONLY, serviceAt } from './expected.ts';
import { profileOf, THIRD_PARTY_REPOSITORIES } from './profiles.ts';
import { discoverIn, renderedPods, valueOf } from './rendered.ts';
import { portOf } from './serve.ts';

const catalog = loadCatalog();
const service = (name: string): Service => catalog.services.find((candidate) => candidate.name === name)!;
const standIns = renderedPods(catalog)
  .filter(
    ({ service: name, image }) =>
      THIRD_PARTY_REPOSITORIES.includes(image) ||
      (service(name).image.own && image.endsWith(`/${service(name).image.repository}`)),
  )
  .map((pod) => ({ pod, found: discoverIn(pod) }));
const remote = (checks: readonly Check[]): RemoteCheck[] =>
  checks.filter(isRemote).filter(({ kind }) => kind !== 'kubernetes');
const given = (path: string, key: string): string => valueOf(catalog, path, key);

test('stand-ins play every service whose image cannot be had', () => {
  const played = catalog.services.filter(
    ({ image }) => image.own || THIRD_PARTY_REPOSITORIES.includes(image.repository),
  );
  assert.deepEqual([...new Set(standIns.map(({ pod }) => pod.service))].sort(), played.map(({ name }) => name).sort());
});

for (const { pod, found } of standIns) {
  const row = service(pod.service);
  suite(pod.workload, () => {
    test('everything that names another service, and every credential, is in a check', () => {
      assert.deepEqual(found.problems, []);
    });

    test('it connects to what the catalog says, no more and no less', () => {
      const targets = remote(found.checks).map(({ host }) => serviceAt(catalog, host) ?? host);
      if (pod.workload === row.name) assert.deepEqual([...new Set(targets)].sort(), connectionsOf(catalog, row));
      // Parts of one service among themselves.
      else for (const target of targets) assert.match(target, new RegExp(`^${row.name}-[a-z-]+$`));
    });

    test('what it needs at its start is deployed before it', () => {
      const there = before(catalog, row.name);
      for (const { kind, host, when } of remote(found.checks)) {
        const target = serviceAt(catalog, host);
        if (target !== undefined && when !== 'late')
          assert.ok(there.has(target), `${kind} ${target} may come later than ${row.name}`);
        if (target !== undefined && when === 'late')
          assert.ok(row.talksTo.includes(target), `${target} is no call-back of ${row.name}`);
      }
    });

    test('ports are those of the services behind them', () => {
      for (const { host, port } of remote(found.checks)) {
        const target = serviceAt(catalog, host);
        if (target !== undefined)
          assert.ok(
            service(target).ports.some((candidate) => candidate.port === port),
            `${target} has no port ${port}`,
          );
      }
    });

    test('credentials are those of what it connects to', () => {
      for (const check of found.checks) checkCredentials(check, row);
    });

    test('the image listens on every port of the chart, and the probes ask paths that it has', () => {
      const ports = new Map(
        profileOf(pod.image, pod.container.args ?? []).listeners.map((listener) => [
          portOf(listener, pod.env),
          listener,
        ]),
      );
      for (const { containerPort, name } of pod.container.ports ?? [])
        assert.ok(ports.has(containerPort), `nobody listens on ${name}, ${containerPort}`);
      for (const probe of ['readinessProbe', 'livenessProbe', 'startupProbe'] as const) {
        const get = (
          pod.container as unknown as Record<
            string,
            { httpGet?: { path: string; port: string; scheme?: string } } | undefined
          >
        )[probe]?.httpGet;
        if (get === undefined) continue;
        const listener = ports.get(pod.container.ports?.find(({ name }) => name === get.port)?.containerPort ?? 0);
        assert.ok(listener, `${probe} asks port ${get.port}`);
        assert.ok([...listener.ready, ...listener.live].includes(get.path.split('?')[0]!), `${probe} asks ${get.path}`);
        assert.equal(listener.protocol, (get.scheme ?? 'HTTP').toLowerCase());
      }
    });
  });
}

test('exceptions from the rules are still needed', () => {
  for (const [name, others] of Object.entries({ ...ORDER_ONLY, ...IN_BROWSER }))
    for (const other of others)
      assert.ok(service(name).dependsOn.includes(other), `${name} does not depend on ${other}`);
  for (const name of Object.keys(IN_BROWSER))
    assert.ok(
      standIns.find(({ pod }) => pod.workload === name)!.found.browser.length > 0,
      `${name} has no address for browsers`,
    );
});

function checkCredentials(check: Check, row: Service): void {
  const target = 'host' in check ? (serviceAt(catalog, check.host) ?? check.host) : '';
  switch (check.kind) {
    case 'postgres': {
      const database = catalog.databases.find(({ server, name }) => server === target && name === check.database);
      assert.ok(database, `${target} has no database ${check.database}`);
      assert.ok(
        row.databases.includes(`${target}/${check.database}`),
        `the catalog does not say that ${row.name} uses ${target}/${check.database}`,
      );
      const authenticator = check.user === 'authenticator';
      assert.equal(check.user, authenticator ? 'authenticator' : database.owner);
      assert.equal(
        check.password,
        authenticator
          ? given('database/supabase', 'authenticator-password')
          : given(database.password.path, database.password.key),
      );
      break;
    }
    case 'redis':
      assert.equal(
        check.password,
        given(target === 'argocd-redis' ? 'gitops/argocd' : `cache/${target}`, 'redis-password'),
      );
      break;
    case 'amqp':
    case 'stream':
      assert.deepEqual(
        [check.user, check.password],
        [given('messaging/rabbitmq', 'username'), given('messaging/rabbitmq', 'rabbitmq-password')],
      );
      break;
    case 'mongodb':
      assert.deepEqual(
        [check.user, check.password],
        [given('notifications/mongodb', 'username'), given('notifications/mongodb', 'mongodb-passwords')],
      );
      break;
    case 's3': {
      assert.deepEqual(
        [check.accessKey, check.secretKey],
        [given(`storage/${target}`, 'accessKey'), given(`storage/${target}`, 'secretKey')],
      );
      const set = catalog.bucketSets.find(({ server }) => server === target)!;
      for (const bucket of check.buckets) assert.ok(set.buckets.includes(bucket), `${target} gets no bucket ${bucket}`);
      break;
    }
    case 'temporal':
      assert.ok(
        catalog.temporalNamespaces.some(({ name }) => name === check.namespace),
        `nobody makes the namespace ${check.namespace}`,
      );
      break;
    case 'vault':
      assert.deepEqual(
        check.paths,
        row.secrets.filter(({ delivery }) => delivery === 'login').map(({ path }) => path),
      );
      for (const [path, says] of Object.entries(check.agree))
        for (const [key, value] of Object.entries(says)) assert.equal(value, given(path, key), `${path} ${key}`);
      break;
    case 'oidc':
      assert.equal(new URL(check.base).pathname, `/realms/${catalog.realm!.name}`);
      if (check.client === undefined) break;
      assert.ok(
        catalog.realm!.clients.some(({ clientId, public: open }) => clientId === check.client!.id && !open),
        `the realm has no confidential client ${check.client.id}`,
      );
      assert.equal(check.client.secret, given('auth/keycloak', `${check.client.id}-client-secret`));
      break;
    default:
  }
}
