/**
 * The owner label on what a chart renders: on every object, and on nothing that a pod or an immutable field is made
 * from.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { labelledManifest } from '../../../src/plan/ownership/owner-label.ts';
import { kubernetesDocuments } from '../../../src/plan/inputs/kubernetes-yaml.ts';

const LABEL = 'ananta.dev/environment';
interface Labelled {
  kind: string;
  metadata?: { labels?: Record<string, unknown> };
  items?: Labelled[];
}
const objectsOf = (text: string): Labelled[] =>
  kubernetesDocuments(text).flatMap((document) => (document.toJS() as Labelled | null) ?? []);
/** What the label has added, object by object: everything else has to be as it was. */
function labelled(text: string, environment = 'staging'): Labelled[] {
  const after = objectsOf(labelledManifest(text, environment));
  const without = structuredClone(after);
  for (const object of without) {
    const { labels } = object.metadata ?? {};
    if (labels) Reflect.deleteProperty(labels, LABEL);
  }
  const before = objectsOf(text).map((object) => ({
    ...object,
    metadata: { ...object.metadata, labels: object.metadata?.labels ?? {} },
  }));
  assert.deepEqual(without, before);
  return after;
}

const WORKLOAD = `---
# Source: postgresql/templates/primary/statefulset.yaml
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
  labels:
    app.kubernetes.io/name: postgresql
    mode: 0755
    answer: yes   # as it was written

  annotations:
    text: |
      metadata:

      not this one
spec:
  selector: {matchLabels: {app: db}}
  volumeClaimTemplates:
    - metadata:
        name: data
  template:
    metadata:
      labels:
        app: db
`;

describe('the owner label', () => {
  test('is put beside the labels that are there; selectors, pod and claim templates stay byte for byte', () => {
    const [object] = labelled(WORKLOAD);
    assert.equal(object?.metadata?.labels?.[LABEL], 'staging');
    const text = labelledManifest(WORKLOAD, 'staging');
    assert.equal(text.slice(text.indexOf('\nspec:')), WORKLOAD.slice(WORKLOAD.indexOf('\nspec:')));
    assert.equal(text.split(LABEL).length, 2);
    assert.match(text, /# Source: postgresql\/templates\/primary\/statefulset\.yaml/);
    assert.match(text, /mode: 0755\n {4}answer: yes +# as it was written/);
  });

  const shapes: [string, string][] = [
    ['without labels', 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {}\n'],
    ['with no labels in them', 'kind: Service\nmetadata:\n  name: a\n  labels:\nspec: {}\n'],
    ['with an empty map', 'kind: Service\nmetadata:\n  name: a\n  labels: {}\nspec: {}\n'],
    ['at the end, without a last line break', 'kind: ConfigMap\ndata: {metadata: x}\nmetadata:\n  name: a'],
    ['as JSON', '{"kind": "Service", "metadata": {"name": "a"}}\n'],
    ['with quoted keys', '"kind": Service\n"metadata":\n  "name": a\n'],
    [
      'with line ends of another system',
      'kind: Service\r\nmetadata:\r\n  name: a\r\n\r\n  labels:\r\n    x: y\r\nspec: {}\r\n',
    ],
    [
      'behind a text that looks like it',
      'kind: ConfigMap\ndata:\n  x: |\n    metadata:\n      y: z\nmetadata:\n  name: a\n',
    ],
  ];
  for (const [shape, text] of shapes)
    test(`metadata ${shape}`, () => {
      const [object] = labelled(text);
      assert.equal(object?.metadata?.labels?.[LABEL], 'staging');
    });

  test('of a list its items have it, which are what is applied', () => {
    const list = 'kind: List\napiVersion: v1\nitems:\n  - {kind: ConfigMap, metadata: {name: a}}\n  - {kind: Secret}\n';
    const [object] = objectsOf(labelledManifest(list, 'staging'));
    assert.deepEqual(
      object?.items?.map(({ metadata }) => metadata?.labels?.[LABEL]),
      ['staging', 'staging'],
    );
  });

  test('is text, whatever the environment is called, and in each document once', () => {
    const text = `${WORKLOAD}---\n# nothing in it\n---\nkind: Service\nmetadata: {name: a, labels: {${LABEL}: "other"}}\n`;
    for (const name of ['on', '1e3', 'null']) {
      const objects = objectsOf(labelledManifest(text, name));
      assert.deepEqual(
        objects.map(({ metadata }) => metadata?.labels?.[LABEL]),
        [name, name],
      );
    }
    const once = labelledManifest(text, 'staging');
    assert.equal(labelledManifest(once, 'staging'), once);
  });

  test('megabytes of definitions cost no time', () => {
    const schema = Array.from({ length: 60_000 }, (_, line) => `      field${line}: {type: string}`).join('\n');
    const text = `kind: CustomResourceDefinition\nmetadata:\n  name: a\nspec:\n  schema:\n    properties:\n${schema}\n`;
    // Of the processor, whatever else runs on this machine.
    const before = process.cpuUsage();
    const made = labelledManifest(text, 'staging');
    const milliseconds = process.cpuUsage(before).user / 1000;
    assert.ok(milliseconds < 1000, `${Math.round(milliseconds)} ms`);
    assert.ok(made.includes(LABEL));
  });
});
