/**
 * Our values, names and checks compared with what the real charts were seen to do, so that a mismatch fails here and
 * not first in a real cluster.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { loadCatalog } from '../../src/catalog/index.ts';
import type { Service } from '../../src/catalog/schema.ts';
import { readConfig } from '../../src/config.ts';
import { kubernetesSecretName } from '../../src/contract/names.ts';
import { isTree, type Tree } from '../../src/environment/files/merge.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { frozenImages, isFrozenImage } from '../../src/plan/images/frozen.ts';
import { statefulSetHealth } from '../../src/plan/health/index.ts';
import { healthOf } from '../../src/plan/health-check.ts';
import { allReleaseInputs } from '../../src/plan/inputs/release-inputs.ts';
import { upstreamFacts, type ReleaseFacts, type UpstreamFacts } from '../support/charts/upstream-facts.ts';

const catalog = loadCatalog();
const services = catalog.services.filter(({ chart }) => chart.upstream !== undefined);
const UPSTREAM = { charts: 'upstream' as const, chartOverrides: {} };
let facts: UpstreamFacts;
const values = new Map<string, Tree>();

before(async () => {
  facts = await upstreamFacts();
  const config = readConfig({});
  for (const [name, inputs] of await allReleaseInputs(catalog, await loadEnvironment('prod', config), {}, config)) {
    if (inputs.upstream !== undefined) values.set(name, parse(inputs.values) as Tree);
  }
});

const seen = ({ name }: Service): ReleaseFacts => facts.releases[name]!;
const containers = (service: Service) =>
  Object.values(seen(service).workloads).flatMap((workload) => workload.containers);
const ports = (service: Service): number[] =>
  containers(service).flatMap((container) => Object.values(container.ports));

/** `a.b.c` for every key, maps included. */
function paths(tree: Tree, before = ''): string[] {
  return Object.entries(tree).flatMap(([key, entry]) => [
    `${before}${key}`,
    ...(isTree(entry) ? paths(entry, `${before}${key}.`) : []),
  ]);
}

describe("what the publishers' charts were seen to do", () => {
  test('is known for every chart, in the version of the catalog', () => {
    assert.deepEqual(Object.keys(facts.releases).sort(), services.map(({ name }) => name).sort());
    assert.deepEqual(
      Object.fromEntries(Object.entries(facts.charts).map(([name, { version }]) => [name, version])),
      Object.fromEntries(
        Object.values(catalog.upstreamCharts)
          .map(({ name, version }) => [name, version])
          .sort(),
      ),
    );
  });

  for (const service of services) {
    test(`${service.name}: the chart knows every key of our values`, () => {
      const { keys, open } = facts.charts[service.chart.upstream!]!;
      const unknown = paths(values.get(service.name)!).filter(
        (path) => !keys.includes(path) && !open.some((map) => path === map || path.startsWith(`${map}.`)),
      );
      assert.deepEqual(unknown, []);
    });

    test(`${service.name}: others find it under its name and ports`, () => {
      const offered = Object.values(seen(service).services).flatMap((found) => found.ports.map(({ port }) => port));
      // No service connects to Argo CD or CloudNativePG; MinIO's console has a Service of its own.
      if (!['argocd', 'cloudnative-pg'].includes(service.name)) {
        const own = seen(service).services[service.name];
        assert.ok(own && !own.headless, 'a Service of its name');
        assert.ok(
          own.ports.some(({ port }) => port === service.ports[0]!.port),
          `port ${service.ports[0]!.port}`,
        );
      }
      // Keycloak 24 has no management port yet.
      for (const { name, port } of service.ports.filter(
        (one) => !['management', 'metrics'].includes(one.name) || service.name === 'rabbitmq',
      ))
        assert.ok(offered.includes(port), `${name} ${port} among ${offered.join()}`);
    });

    test(`${service.name}: NodePorts are the description's, and no others`, () => {
      const found = Object.values(seen(service).services).flatMap(({ type, ports: list }) =>
        type === 'NodePort' ? list.map(({ nodePort }) => nodePort) : [],
      );
      assert.deepEqual(
        found,
        service.ports.flatMap(({ nodePort }) => nodePort ?? []),
      );
    });

    test(`${service.name}: its health check asks a port that a container has, in pods that the watches find`, () => {
      const health = healthOf(UPSTREAM, service);
      if ('port' in health)
        assert.ok(ports(service).includes(health.port), `${health.port} among ${ports(service).join()}`);
      for (const [name, workload] of Object.entries(seen(service).workloads)) {
        assert.equal(workload.labels['app.kubernetes.io/instance'] ?? workload.labels['release'], service.name, name);
        assert.ok(name === service.name || name.startsWith(service.name), `${name} is named after its release`);
      }
    });

    test(`${service.name}: it keeps data in a volume exactly where the catalog says so`, () => {
      const claims = [
        ...Object.keys(seen(service).claims),
        ...Object.values(seen(service).workloads).flatMap((workload) => Object.keys(workload.claims)),
      ];
      assert.equal(claims.length, service.stateful ? 1 : 0, claims.join());
    });

    test(`${service.name}: images can be had, and frozen ones are named`, () => {
      const images = Object.values(seen(service).workloads).flatMap((workload) =>
        [...workload.containers, ...workload.initContainers].map(({ image }) => image),
      );
      for (const image of images) {
        assert.doesNotMatch(image, /(^|\/)bitnami\//, 'gone from Docker Hub');
        assert.doesNotMatch(image, /^(docker\.io\/)?minio\//, 'gone from Docker Hub');
      }
      const named = frozenImages([[service.name, values.get(service.name)!]]).map(({ image }) => image);
      assert.deepEqual(named, [...new Set(images.filter(isFrozenImage).map((image) => image.replace(/:[^:]*$/, '')))]);
    });

    test(`${service.name}: it reads Secrets that are made for it, and no others`, () => {
      const made = service.secrets.map(({ path, secretName }) => secretName ?? kubernetesSecretName(path));
      const own = seen(service)
        .objects.filter((object) => object.startsWith('Secret/'))
        .map((object) => object.split('/')[1]);
      const read = Object.values(seen(service).workloads).flatMap((workload) => workload.secrets);
      // Argo CD's own, made by itself; repositories and certificates are optional.
      const allowed = [
        ...made,
        ...own,
        ...(service.name === 'argocd' ? read.filter((name) => name.startsWith('argocd')) : []),
        ...(service.name === 'cloudnative-pg' ? ['cnpg-webhook-cert'] : []),
      ];
      assert.deepEqual(
        read.filter((name) => !allowed.includes(name)),
        [],
      );
    });
  }
});

describe('what helm --wait does not know', () => {
  test('Vault replaces its pods only when they are deleted: waiting for the newest template would never end', () => {
    assert.equal(facts.releases['vault']!.workloads['vault']!.strategy, 'OnDelete');
    const sealed = {
      metadata: { name: 'vault', generation: 2 },
      spec: { replicas: 1, updateStrategy: { type: 'OnDelete' } },
      status: { observedGeneration: 2, replicas: 1, readyReplicas: 0, currentRevision: 'a', updateRevision: 'b' },
    };
    assert.equal(statefulSetHealth(sealed).status, 'progressing', 'pods count all the same');
    assert.equal(statefulSetHealth({ ...sealed, status: { ...sealed.status, readyReplicas: 1 } }).status, 'healthy');
    assert.match(
      facts.releases['vault']!.workloads['vault']!.containers[0]!.ready,
      /sealedcode=204&uninitcode=204/,
      'ready while sealed, or nobody could open it',
    );
  });

  test('MinIO has no probe of its own, so that a check of ours has to ask it', () => {
    for (const name of ['app-plane-minio', 'control-plane-minio']) {
      assert.equal(facts.releases[name]!.workloads[name]!.containers[0]!.ready, 'none');
      assert.deepEqual(healthOf(UPSTREAM, services.find((service) => service.name === name)!), {
        kind: 'http',
        port: 9000,
        path: '/minio/health/ready',
      });
      assert.equal(facts.releases[name]!.workloads[name]!.strategy, 'Recreate', 'two pods cannot share the volume');
    }
  });

  test('CloudNativePG is ready only when its webhook answers; both bring kinds from templates', () => {
    const operator = facts.releases['cloudnative-pg']!;
    assert.match(operator.workloads['cloudnative-pg']!.containers[0]!.ready, /^httpGet \/readyz/);
    assert.ok(
      operator.webhooks.every(
        ({ service, failurePolicy }) => service === 'cnpg-webhook-service' && failurePolicy === 'Fail',
      ),
    );
    assert.deepEqual(
      operator.services['cnpg-webhook-service']?.ports.map(({ port }) => port),
      [443],
    );
    assert.ok(operator.definitions.some(({ kind }) => kind === 'Cluster'));
    assert.ok(facts.releases['argocd']!.definitions.some(({ kind }) => kind === 'ApplicationSet'));
  });

  test('no hook of a chart is waited for by Helm, except tests that nobody runs', () => {
    for (const [name, { hooks }] of Object.entries(facts.releases))
      for (const hook of hooks) assert.match(hook, / test$/, name);
  });

  test('streams of RabbitMQ are let through its network policy', () => {
    assert.ok(facts.releases['rabbitmq']!.services['rabbitmq']!.ports.some(({ port }) => port === 5552));
    assert.deepEqual(values.get('rabbitmq')!['networkPolicy'], {
      extraIngress: [{ ports: [{ port: 5552, protocol: 'TCP' }] }],
    });
  });
});
