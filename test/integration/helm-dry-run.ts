/**
 * Real: an API server with Pod Security Admission. Every object of every release passes its strict dry run. On the
 * cluster of cluster-rights.test.ts.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import PQueue from 'p-queue';
import { schemasText } from '../../scripts/schemas-text.ts';
import { createKubernetesClient, type KubernetesClient, KubernetesError } from '../../src/clients/kubernetes/index.ts';
import { readSchemas, SCHEMAS_FILE } from '../../src/plan/objects/schemas.ts';
import { objectProblems } from '../../src/plan/objects/validate.ts';
import { goldenObjects, type KubernetesObject } from '../helm/golden.ts';
import { catalog, config } from '../helm/helm.ts';
import { podTemplate } from '../helm/pods.ts';
import type { Embedded } from '../support/embedded.ts';
import { type Kubectl, kubectlOn, listOf, strictDryRun } from '../support/sandbox/kubectl.ts';
import { mutations } from '../support/mutations.ts';
import { REFUSED, TAKEN } from '../support/odd-objects.ts';

const sandbox = goldenObjects('helm').flatMap(({ objects }) => objects);
const replicated = goldenObjects('helm-replicated').flatMap(({ objects }) => objects);

const MUTATIONS = 400;

/** @param clusterOf one that is open while the tests run */
export function dryRunTests(clusterOf: () => Embedded): void {
  describe('strict dry run', { concurrency: 1 }, () => {
    let kubectl: Kubectl;
    let kubernetes: KubernetesClient;

    before(async () => {
      const embedded = clusterOf();
      kubernetes = createKubernetesClient({ kubeconfig: embedded.layout.kubeconfig, inCluster: false });
      kubectl = await kubectlOn(embedded.layout.kubeconfig, embedded.layout.root);
      const namespaces = catalog.namespaces.map(({ name, podSecurity }) => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': podSecurity } },
      }));
      // Some of them are there, as another platform has them.
      await kubectl(['apply', '--server-side', '--force-conflicts', '--filename', '-'], listOf(namespaces));
      for (const chart of ['argo-cd', 'cloudnative-pg'])
        await kubectl([
          'apply',
          '--server-side',
          '--validate=strict',
          '--filename',
          join(config.repoRoot, 'helm', 'charts', chart, 'crds'),
        ]);
      await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
      // A pod is admitted only with its service account.
      await kubectl(
        ['apply', '--server-side', '--filename', '-'],
        // Of another writer than the dry runs, which would conflict with them in more than names.
        listOf(
          sandbox
            .filter(({ kind }) => kind === 'ServiceAccount')
            .map(({ apiVersion, kind, metadata: { name, namespace } }) => ({
              apiVersion,
              kind,
              metadata: { name, namespace },
            })),
        ),
      );
    });
    after(() => {
      kubernetes?.close();
    });

    test('every object of the sandbox', async () => {
      await strictDryRun(kubectl, sandbox);
    });

    test('objects with replicas, a storage class and pull secrets', async () => {
      await strictDryRun(kubectl, replicated);
    });

    test('every pod is admitted at Pod Security "restricted"', async () => {
      await strictDryRun(kubectl, sandbox.flatMap(podOf));
    });

    test('would refuse what is wrong', async () => {
      const [pod] = sandbox.flatMap(podOf);
      assert.ok(pod);
      await assert.rejects(
        strictDryRun(kubectl, [{ ...pod, spec: { ...pod.spec, hostNetwork: true } }]),
        /violates PodSecurity/,
      );
      await assert.rejects(
        strictDryRun(kubectl, [{ ...pod, spec: { ...pod.spec, enableServiceLink: false } }]),
        /enableServiceLink/,
      );
    });

    test('the schemas that env check has are those of this API server', async () => {
      assert.equal(
        await schemasText(async (path) => JSON.parse(await kubectl(['get', '--raw', path])) as unknown),
        await readFile(SCHEMAS_FILE, 'utf8'),
        'anew with: node launcher.mjs --run scripts/kubernetes-schemas.ts',
      );
    });

    /** Where an object of a kind and a namespace is, by both. */
    async function placesOf(): Promise<Map<string, (namespace: string) => string>> {
      return new Map(
        (await kubernetes.kinds()).kinds.map(({ group, version, kind, plural }) => [
          `${group === '' ? '' : `${group}/`}${version}/${kind}`,
          (namespace) =>
            `${group === '' ? '/api' : `/apis/${group}`}/${version}/namespaces/${encodeURIComponent(namespace)}/${plural}`,
        ]),
      );
    }

    test('what env check refuses is refused, each of it; what it takes is taken', async () => {
      const places = await placesOf();
      /** Asked without a process first, which most of them need no more than; what passes there is asked in full. */
      const isRefused = async (object: Record<string, unknown>): Promise<boolean> => {
        const { name, namespace = 'default' } = (object['metadata'] ?? {}) as { name?: unknown; namespace?: unknown };
        const place = places.get(`${String(object['apiVersion'])}/${String(object['kind'])}`);
        if (place !== undefined && typeof name === 'string' && name !== '' && typeof namespace === 'string') {
          const path = `${place(namespace)}/${encodeURIComponent(name)}`;
          const said: unknown = await kubernetes.dryRun(path, object, { manager: 'test' }).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (isRefusal(said)) return true;
        }
        return strictDryRun(kubectl, [object]).then(
          () => false,
          () => true,
        );
      };
      const queue = new PQueue({ concurrency: 4 });
      const taken: string[] = [];
      await queue.addAll(
        REFUSED.map(([what, object]) => async () => {
          if (!(await isRefused(object))) taken.push(what);
        }),
      );
      assert.deepEqual(taken, []);
      await strictDryRun(
        kubectl,
        TAKEN.map(([, object], at) => {
          const { metadata } = object as { metadata: { name: string } };
          return { ...object, metadata: { ...metadata, name: `${metadata.name}${at}` } };
        }),
      );
    });

    test('of what charts render with one thing changed, env check misses less than one in a hundred', async () => {
      const places = await placesOf();
      const schemas = await readSchemas();
      const objects = [...sandbox, ...replicated]
        .filter(
          ({ apiVersion, kind, metadata }) =>
            metadata.namespace !== undefined && `${apiVersion}/${kind}` in schemas.kinds,
        )
        .map((object) => ({ ...object, metadata: { ...object.metadata, namespace: 'default' } }));
      const missed: string[] = [];
      const wrongly: string[] = [];
      const queue = new PQueue({ concurrency: 4 });
      await queue.addAll(
        mutations(objects, MUTATIONS, 1).map(({ object, what }) => async () => {
          const { apiVersion, kind, metadata } = object as unknown as (typeof objects)[number];
          const said = objectProblems(object, schemas) ?? [];
          const refused = await kubernetes
            .dryRun(`${places.get(`${apiVersion}/${kind}`)?.('default')}/${metadata.name}`, object, {
              manager: 'test',
              force: true,
            })
            .then(
              () => undefined,
              (error: unknown) => String(error),
            );
          if (refused !== undefined && said.length === 0) missed.push(`${what}: ${refused}`);
          if (refused === undefined && said.length > 0) wrongly.push(`${what}: ${JSON.stringify(said)}`);
        }),
      );
      assert.ok(missed.length < MUTATIONS / 100, missed.join('\n'));
      // Amounts that Kubernetes cuts off, and what only a pod would be refused for.
      assert.ok(wrongly.length < MUTATIONS / 50, wrongly.join('\n'));
    });
  });
}

/** What an apply cannot read as its kind (a field that is none, a text for a number) is answered with 500. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof KubernetesError)) return false;
  return (
    [400, 422].includes(error.status) ||
    (error.status === 500 && /failed to create (typed|manager)/.test(error.message))
  );
}

/** The pod that a workload would make; claims of a StatefulSet stand in for themselves. */
function podOf(object: KubernetesObject): KubernetesObject[] {
  const template = podTemplate(object);
  if (template === undefined) return [];
  const claims = ((object.spec?.['volumeClaimTemplates'] ?? []) as { metadata: { name: string } }[]).map(
    ({ metadata: { name } }) => ({ name, emptyDir: {} }),
  );
  const {
    metadata: { name, namespace },
  } = object;
  return [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels: template.metadata.labels },
      spec: { ...template.spec, volumes: [...(template.spec.volumes ?? []), ...claims] },
    },
  ];
}
