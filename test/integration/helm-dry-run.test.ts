// Real: an API server with Pod Security Admission. Every object of every release passes its strict dry run.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import PQueue from 'p-queue';
import { schemasText } from '../../scripts/schemas-text.ts';
import { SCHEMAS_FILE } from '../../src/plan/objects/schemas.ts';
import { goldenObjects, type KubernetesObject } from '../helm/golden.ts';
import { catalog, config } from '../helm/helm.ts';
import { podTemplate } from '../helm/pods.ts';
import { type Embedded, openEmbedded } from '../support/embedded.ts';
import { type Kubectl, kubectlOn, listOf, strictDryRun } from '../support/kubectl.ts';
import { REFUSED, TAKEN } from '../support/odd-objects.ts';

const sandbox = goldenObjects('helm').flatMap(({ objects }) => objects);
const replicated = goldenObjects('helm-replicated').flatMap(({ objects }) => objects);

describe('strict dry run', () => {
  let embedded: Embedded;
  let kubectl: Kubectl;

  before(async () => {
    embedded = await openEmbedded();
    kubectl = await kubectlOn(embedded.layout.kubeconfig, embedded.layout.root);
    const namespaces = catalog.namespaces.map(({ name, podSecurity }) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': podSecurity } },
    }));
    await kubectl(['apply', '--server-side', '--filename', '-'], listOf(namespaces));
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
  after(() => embedded.close());

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
      await schemasText(async (path) => JSON.parse(await kubectl(['get', '--raw', path]))),
      await readFile(SCHEMAS_FILE, 'utf8'),
      'anew with: node launcher.mjs --run scripts/kubernetes-schemas.ts',
    );
  });

  test('what env check refuses is refused, each of it; what it takes is taken', async () => {
    const queue = new PQueue({ concurrency: 4 });
    const taken: string[] = [];
    await queue.addAll(
      REFUSED.map(([what, object]) => async () => {
        const refused = await strictDryRun(kubectl, [object]).then(
          () => false,
          () => true,
        );
        if (!refused) taken.push(what);
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
});

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
