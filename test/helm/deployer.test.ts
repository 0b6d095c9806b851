/** What the deployer's own releases render to, held against the rules of the house. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { IN_CLUSTER, OWNER_LABEL } from '../../src/contract/names.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { deployerReleases, workerGraceSeconds } from '../../src/plan/deployer/releases.ts';
import { engineInCluster } from '../support/engine-in-cluster.ts';
import { type KubernetesObject, parseObjects } from './golden.ts';
import { config, helm, helmBinary, KUBERNETES_VERSION } from './helm.ts';
import { containersOf, houseViolations, podTemplate, restrictedViolations } from './pods.ts';

const binary = await helmBinary();
const staging = await loadEnvironment('staging', config);
const environment: Environment = {
  ...staging,
  engine: engineInCluster({ replicas: 2, storage: { size: '20Gi' } }),
};
const releases = await deployerReleases(environment, config, {
  image: `a.example/b@sha256:${'1'.repeat(64)}`,
  environmentFiles: { 'staging.yaml': 'description: x\n' },
  workflows: ['deployer-workflows-1'],
  engineAccess: true,
});
const rendered = new Map<string, KubernetesObject[]>();
for (const { name, namespace, chartPath, values } of releases) {
  rendered.set(
    name,
    parseObjects(
      await helm(
        binary,
        ['template', name, chartPath, '--namespace', namespace, '--kube-version', KUBERNETES_VERSION, '--values', '-'],
        stringify(values),
      ),
    ),
  );
}
const all = [...rendered].flatMap(([release, objects]) => objects.map((object) => ({ release, object })));
const of = (release: string, kind: string): KubernetesObject => {
  const found = rendered.get(release)?.find((object) => object.kind === kind);
  assert.ok(found, `${release} has no ${kind}`);
  return found;
};
type Pod = ReturnType<typeof podTemplate> & object;
const podOf = (release: string, kind: string): Pod['spec'] & Record<string, unknown> =>
  podTemplate(of(release, kind))!.spec as Pod['spec'] & Record<string, unknown>;

describe('the deployer in the cluster', () => {
  test('carries its environment on every object, and on no pod', () => {
    for (const { object } of all) {
      assert.equal(object.metadata.labels?.[OWNER_LABEL], 'staging', `${object.kind} ${object.metadata.name}`);
      assert.equal(podTemplate(object)?.metadata.labels[OWNER_LABEL], undefined, object.metadata.name);
    }
  });

  test('keeps the rules: restricted pods, all in its own namespace, no Secret rendered', () => {
    const pods = all.flatMap(({ release, object }) =>
      podTemplate(object) ? [{ release, template: podTemplate(object)! }] : [],
    );
    assert.equal(pods.length, 5);
    assert.deepEqual(
      pods.flatMap(({ release, template }) =>
        [...restrictedViolations(template.spec), ...houseViolations(template.spec)].map(
          (violation) => `${release} ${violation}`,
        ),
      ),
      [],
    );
    assert.deepEqual([...new Set(all.map(({ object }) => object.metadata.namespace))], [IN_CLUSTER.namespace]);
    assert.deepEqual(
      all.filter(({ object }) => object.kind === 'Secret'),
      [],
    );
  });

  test("the engine: two servers with a budget, its port is not the platform's, its password by reference", () => {
    assert.equal(of(IN_CLUSTER.engine, 'Deployment').spec?.['replicas'], 2);
    of(IN_CLUSTER.engine, 'PodDisruptionBudget');
    const [container] = containersOf(podOf(IN_CLUSTER.engine, 'Deployment'));
    assert.deepEqual(container?.env?.find(({ name }) => name === 'POSTGRES_PWD')?.valueFrom?.secretKeyRef, {
      name: IN_CLUSTER.databaseSecret,
      key: 'password',
    });
    assert.equal(container.env?.find(({ name }) => name === 'NUM_HISTORY_SHARDS')?.value, '128');
    assert.deepEqual(
      (of(IN_CLUSTER.engine, 'Service').spec as { ports: { port: number; targetPort: string }[] }).ports.map(
        ({ port, targetPort }) => [port, targetPort],
      ),
      [[7233, 'grpc']],
    );
  });

  test('the database: one server, its volume a claim of the StatefulSet, which Helm never deletes', () => {
    const spec = of(IN_CLUSTER.database, 'StatefulSet').spec as {
      replicas: number;
      volumeClaimTemplates: {
        metadata: { name: string };
        spec: { storageClassName: string; resources: { requests: { storage: string } } };
      }[];
    };
    assert.equal(spec.replicas, 1);
    assert.deepEqual(
      spec.volumeClaimTemplates.map(({ metadata, spec: claim }) => [
        metadata.name,
        claim.storageClassName,
        claim.resources.requests.storage,
      ]),
      [['data', 'ssd', '20Gi']],
    );
  });

  test('workers: two, replaced without a gap, with longer to end than Helm has', () => {
    const { spec } = of(IN_CLUSTER.worker, 'Deployment') as unknown as {
      spec: { replicas: number; strategy: { rollingUpdate: { maxUnavailable: number } } };
    };
    assert.deepEqual([spec.replicas, spec.strategy.rollingUpdate.maxUnavailable], [2, 0]);
    of(IN_CLUSTER.worker, 'PodDisruptionBudget');
    const pod = podOf(IN_CLUSTER.worker, 'Deployment');
    assert.ok((pod['terminationGracePeriodSeconds'] as number) > workerGraceSeconds(environment));
    assert.ok(workerGraceSeconds(environment) > environment.helm.timeoutSeconds);
    assert.equal(pod.automountServiceAccountToken, true);
    const [container] = containersOf(pod);
    assert.equal(container?.image, `a.example/b@sha256:${'1'.repeat(64)}`);
    const mounts = (container as unknown as { volumeMounts: { mountPath: string }[] }).volumeMounts
      .map(({ mountPath }) => mountPath)
      .sort();
    assert.deepEqual(mounts, [
      '/etc/ananta/engine',
      '/etc/ananta/environments',
      '/etc/ananta/workflows',
      '/tmp',
      '/var/lib/ananta',
    ]);
  });

  test('only who needs it gets through: the database to the engine and its schema, the engine to workers and UI', () => {
    const peers = (release: string): string[] => {
      const ingress =
        (
          of(release, 'NetworkPolicy').spec as {
            ingress?: { from?: { podSelector?: { matchLabels: Record<string, string> } }[] }[];
          }
        ).ingress ?? [];
      return ingress
        .flatMap(({ from }) =>
          (from ?? []).map((peer) => peer.podSelector?.matchLabels['app.kubernetes.io/instance'] ?? ''),
        )
        .filter((name) => name !== release)
        .sort();
    };
    assert.deepEqual(peers(IN_CLUSTER.database), [IN_CLUSTER.engine, IN_CLUSTER.schema]);
    assert.deepEqual(peers(IN_CLUSTER.engine), [IN_CLUSTER.ui, IN_CLUSTER.worker]);
    assert.deepEqual(peers(IN_CLUSTER.worker), []);
  });

  test('the metrics of workers: a port only where the environment says so, open to the namespace it names alone', async () => {
    const worker = async (listen: string): Promise<KubernetesObject[]> => {
      const made = await deployerReleases(
        { ...environment, telemetry: { metrics: { listen, scrapeFrom: 'monitoring' } } },
        config,
        { image: 'a.example/b:1', environmentFiles: {}, workflows: [], engineAccess: false },
      );
      const { name, namespace, chartPath, values } = made.find((release) => release.name === IN_CLUSTER.worker)!;
      const args = ['template', name, chartPath, '--namespace', namespace, '--kube-version', KUBERNETES_VERSION];
      return parseObjects(await helm(binary, [...args, '--values', '-'], stringify(values)));
    };
    const open = await worker('0.0.0.0:9464');
    const kind = (objects: KubernetesObject[], wanted: string): KubernetesObject | undefined =>
      objects.find((object) => object.kind === wanted);
    assert.deepEqual(
      (kind(open, 'Service')?.spec as { ports: { name: string; port: number }[] }).ports.map((p) => [p.name, p.port]),
      [['metrics', 9464]],
    );
    const { ingress } = kind(open, 'NetworkPolicy')?.spec as {
      ingress: { from: { namespaceSelector?: { matchLabels: Record<string, string> } }[] }[];
    };
    assert.deepEqual(
      ingress.flatMap(({ from }) => from.flatMap(({ namespaceSelector: named }) => (named ? [named.matchLabels] : []))),
      [{ 'kubernetes.io/metadata.name': 'monitoring' }],
    );
    assert.equal(kind(await worker('127.0.0.1:9464'), 'Service'), undefined);
    assert.equal(
      rendered.get(IN_CLUSTER.worker)!.find((object) => object.kind === 'Service'),
      undefined,
    );
  });
});
