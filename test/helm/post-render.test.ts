/** With the real Helm: what it renders goes through this process before it is applied and recorded. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { execa } from 'execa';
import { withPostRenderer } from '../../src/clients/helm/index.ts';
import { withoutLeftFields } from '../../src/plan/fields/left.ts';
import { kubernetesDocuments } from '../../src/plan/inputs/kubernetes-yaml.ts';
import { labelledManifest } from '../../src/plan/ownership/owner-label.ts';
import { chartRuns, helmBinary, sandbox } from './helm.ts';

const binary = await helmBinary();
const [run] = await chartRuns(await sandbox(), ['dashboard']);
let home: string;
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'post-render-'));
});
after(() => rm(home, { recursive: true, force: true }));

async function rendered(
  change: (manifest: string) => string,
  chart = run?.chartPath ?? '',
): Promise<{ text: string; stderr: string; error: unknown }> {
  assert.ok(run);
  return withPostRenderer(home, change, async ({ args, env, error }) => {
    const { stdout, stderr } = await execa(
      binary,
      ['template', 'dashboard', chart, '--namespace', 'app-plane', '--values', '-', ...args],
      { input: run.values, env: { ...env, HELM_DATA_HOME: home }, reject: false },
    );
    return { text: stdout, stderr, error: error() };
  });
}

test('a field that is left is in nothing that Helm applies; everything else is as it was', async () => {
  const whole = await rendered((manifest) => manifest);
  assert.match(whole.text, /^ {2}replicas: 1$/m);
  const left = { kind: 'Deployment', namespace: 'app-plane', name: 'dashboard', field: 'spec.replicas', owner: 'x' };
  const { text } = await rendered((manifest) => withoutLeftFields(manifest, [left], 'app-plane'));
  assert.doesNotMatch(text, /replicas/);
  assert.match(text, /# Source: service\/templates\/release\.yaml/);
  assert.equal(text.match(/^kind: |^"kind": /gm)?.length, whole.text.match(/^kind: /gm)?.length);
});

test("objects of a chart that knows no owner label get it, hooks too; pods' templates and selectors do not", async () => {
  const chart = join(home, 'published');
  await mkdir(join(chart, 'templates'), { recursive: true });
  await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: published\nversion: 1.0.0\n');
  await writeFile(
    join(chart, 'templates', 'all.yaml'),
    `apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, labels: { app: db } }
spec:
  selector: { matchLabels: { app: db } }
  template: { metadata: { labels: { app: db } } }
  volumeClaimTemplates: [{ metadata: { name: data } }]
---
apiVersion: batch/v1
kind: Job
metadata: { name: before, annotations: { helm.sh/hook: pre-upgrade } }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.com
`,
  );
  const { text } = await rendered((manifest) => labelledManifest(manifest, 'staging'), chart);
  const objects = kubernetesDocuments(text).flatMap(
    (document) => (document.toJS() as { kind: string; metadata: { labels?: object }; spec?: object } | null) ?? [],
  );
  assert.deepEqual(objects.map(({ kind }) => kind).sort(), ['CustomResourceDefinition', 'Job', 'StatefulSet']);
  for (const { kind, metadata, spec } of objects) {
    assert.equal((metadata.labels as Record<string, string>)['ananta.dev/environment'], 'staging', kind);
    assert.ok(!JSON.stringify(spec ?? {}).includes('ananta.dev'), kind);
  }
});

test('what goes wrong on the way is known here, and Helm ends with an error', async () => {
  const { text, stderr, error } = await rendered(() => {
    throw new Error('cannot be changed');
  });
  assert.equal(text, '');
  assert.match(stderr, /post-render|post render/);
  assert.match(String(error), /cannot be changed/);
});

for (const [what, answer] of [
  ['before it has answered', ''],
  ['in the middle of its answer', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n'],
] as const)
  test(`a worker that dies ${what}: Helm ends with an error, and applies nothing`, async () => {
    assert.ok(run);
    await withPostRenderer(
      home,
      (manifest) => manifest,
      async ({ env }) => {
        const socketPath = join(home, 'socket');
        const server = createServer((socket) => socket.end(answer)).listen(socketPath);
        const { exitCode, stdout, stderr } = await execa(
          binary,
          ['template', 'dashboard', run.chartPath, '--namespace', 'app-plane', '--values', '-'].concat([
            '--post-renderer',
            'ananta-fields',
            '--post-renderer-args',
            socketPath,
          ]),
          { input: run.values, env: { ...env, HELM_DATA_HOME: home }, reject: false },
        );
        server.close();
        assert.deepEqual([exitCode, stdout], [1, '']);
        assert.match(stderr, /error while running post render/);
      },
    );
  });

test('nothing is left behind but the plugin', async () => {
  assert.deepEqual(await readdir(join(home, 'plugins', 'ananta-fields')), ['plugin.yaml', 'post-render.mjs']);
});
