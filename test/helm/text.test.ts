/** From a file of values to the pod: text stays text, modes are what they are in Kubernetes, and labels are valid. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mergeTrees, type Tree } from '../../src/environment/files/merge.ts';
import { allReleaseInputs } from '../../src/plan/inputs/release-inputs.ts';
import { helmText, helmValues, kubernetesDocuments } from '../../src/plan/inputs/kubernetes-yaml.ts';
import { catalog, chartRuns, config, helm, helmBinary, KUBERNETES_VERSION, sandbox } from './helm.ts';

const binary = await helmBinary();
const [run] = await chartRuns(await sandbox(), ['django-backend']);

interface Rendered {
  kind: string;
  metadata: { labels: Record<string, string> };
  spec: { replicas: number; template: { metadata: { labels: Record<string, string> }; spec: PodSpec } };
}
interface PodSpec {
  containers: { env: { name: string; value?: string }[]; ports: { name: string }[] }[];
  volumes: { name: string; secret?: { defaultMode: number } }[];
}

/** What the release renders to with a few values more, as the file that an engineer writes. */
async function rendered(file: string): Promise<Rendered[]> {
  assert.ok(run);
  const values = helmText(mergeTrees(helmValues(run.values) as Tree, helmValues(file) as Tree));
  const text = await helm(
    binary,
    [
      'template',
      run.release.name,
      run.chartPath,
      '--namespace',
      'app-plane',
      '--kube-version',
      KUBERNETES_VERSION,
      '--values',
      '-',
    ],
    values,
  );
  return kubernetesDocuments(text).flatMap((document) => (document.toJS() as Rendered | null) ?? []);
}
const deployment = (objects: readonly Rendered[]): Rendered => {
  const found = objects.find(({ kind }) => kind === 'Deployment');
  assert.ok(found);
  return found;
};

describe('values of a release', () => {
  test('text reaches the pod as it is', async () => {
    const texts = [
      'on',
      'no',
      'y',
      '1_000',
      '0x1F',
      '1e3',
      '12:30:00',
      '012',
      '~',
      'null',
      '2026-01-01',
      '',
      ' a ',
      'a: b',
    ];
    const names = [...texts.map((_text, at) => `FEATURE_${at}`), 'N', 'ON', 'y'];
    const file = `env:\n${names.map((name, at) => `  ${name}: ${JSON.stringify(texts[at] ?? 'x')}\n`).join('')}podLabels: {flag: "on"}\npodAnnotations: {at: "12:30:00"}\n`;
    const { spec } = deployment(await rendered(file));
    const env = new Map(spec.template.spec.containers[0]!.env.map(({ name, value }) => [name, value]));
    assert.deepEqual(
      names.map((name) => env.get(name)),
      names.map((_name, at) => texts[at] ?? 'x'),
    );
    assert.equal(spec.template.metadata.labels['flag'], 'on');
  });

  test('a mode in octal is one in the pod', async () => {
    const { spec } = deployment(
      await rendered(
        'volumes: [{name: own, secret: {secretName: own, defaultMode: 0400}}, {name: more, secret: {secretName: own, defaultMode: 256}}]\n',
      ),
    );
    const modes = spec.template.spec.volumes
      .filter(({ name }) => ['own', 'more'].includes(name))
      .map(({ secret }) => secret?.defaultMode);
    assert.deepEqual(modes, [256, 256]);
  });
});

test('scaled to zero is zero, not the default of one', async () => {
  for (const more of ['', 'singleton: true\n'])
    assert.equal(deployment(await rendered(`replicaCount: 0\n${more}`)).spec.replicas, 0);
});

describe('the version of a release as a label', () => {
  const LABEL = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;
  for (const tag of [
    '1.2.3',
    'abc-',
    'abc.',
    '_abc',
    '__',
    'a',
    `${'a'.repeat(62)}-bcdefgh`,
    `${'a'.repeat(60)}...bcdefgh`,
    'x'.repeat(128),
    '0400',
    '1e3',
  ])
    test(`of ${tag.length > 40 ? `${tag.slice(0, 40)}… (${tag.length})` : tag}`, async () => {
      const environment = await sandbox();
      const inputs = await allReleaseInputs(catalog, environment, { 'django-backend': tag }, config);
      const objects = kubernetesDocuments(
        await helm(
          binary,
          ['template', 'django-backend', run!.chartPath, '--kube-version', KUBERNETES_VERSION, '--values', '-'],
          inputs.get('django-backend')!.values,
        ),
      ).flatMap((document) => (document.toJS() as Rendered | null) ?? []);
      for (const { metadata } of objects)
        for (const value of Object.values(metadata.labels)) assert.match(value, LABEL);
      const { containers } = deployment(objects).spec.template.spec as unknown as { containers: { image: string }[] };
      assert.equal(containers[0]?.image.split(':').at(-1), tag);
    });
});
