import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as tar from 'tar';
import {
  archivedDefinitions,
  awaitEstablished,
  definitionsOf,
  installedDefinitions,
} from '../../../src/effects/release/definitions/crds.ts';
import type { KubernetesClient, KubernetesObject } from '../../../src/clients/kubernetes/index.ts';

const definition = (name: string): string =>
  `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: ${name} }\n`;

test('kinds that a chart brings along: from its folder, from its archive, from what its templates have made', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crds-'));
  try {
    await mkdir(join(folder, 'chart', 'crds'), { recursive: true });
    await mkdir(join(folder, 'chart', 'templates'));
    await writeFile(
      join(folder, 'chart', 'crds', 'all.yaml'),
      `${definition('a.example')}---\n${definition('b.example')}---\nkind: Service\nmetadata: { name: s }\n`,
    );
    await writeFile(join(folder, 'chart', 'templates', 'crd.yaml'), definition('template.example'));
    await tar.create({ file: join(folder, 'chart.tgz'), gzip: true, cwd: folder }, ['chart']);
    assert.deepEqual(await definitionsOf(join(folder, 'chart')), ['a.example', 'b.example']);
    assert.deepEqual(await archivedDefinitions(join(folder, 'chart.tgz')), ['a.example', 'b.example']);
  } finally {
    await rm(folder, { recursive: true });
  }
  const of = (name: string, release: string, namespace: string): KubernetesObject => ({
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      annotations: { 'meta.helm.sh/release-name': release, 'meta.helm.sh/release-namespace': namespace },
    },
  });
  const list = () =>
    Promise.resolve({
      metadata: { resourceVersion: '1' },
      items: [
        of('a.example', 'gitops', 'gitops'),
        of('b.example', 'gitops', 'elsewhere'),
        of('c.example', 'cnpg', 'gitops'),
      ],
    });
  assert.deepEqual(await installedDefinitions({ list }, { name: 'gitops', namespace: 'gitops' }), ['a.example']);
});

test('what needs a new kind waits until the API server has established it, and says why it never does', async (context) => {
  context.mock.timers.enable({ apis: ['Date'] });
  let asked = 0;
  const after = (looks: number, conditions: object[]): KubernetesClient =>
    ({
      get: () => {
        asked += 1;
        context.mock.timers.tick(15_000);
        return Promise.resolve({ status: asked > looks ? { conditions } : {} });
      },
    }) as unknown as KubernetesClient;
  const { signal } = new AbortController();
  await awaitEstablished(after(1, [{ type: 'Established', status: 'True' }]), ['a.example'], signal);
  assert.equal(asked, 2);
  const refused = [{ type: 'NamesAccepted', status: 'False', message: '"a" is already in use' }];
  await assert.rejects(awaitEstablished(after(0, refused), ['a.example'], signal), {
    type: 'RejectedByCluster',
    message: 'CustomResourceDefinition a.example is not established after 30 s: "a" is already in use',
  });
});
