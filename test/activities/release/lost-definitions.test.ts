/** Definitions that a chart brings along and somebody has deleted: seen from its folder or archive, and made again. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as tar from 'tar';
import { lostDefinitions, putBackDefinitions } from '../../../src/effects/release/definitions/lost.ts';
import { KubernetesError } from '../../../src/clients/kubernetes/index.ts';
import type { ReleaseInputs } from '../../../src/plan/inputs/release-inputs.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { helmRecord } from '../../support/fakes/helm-record.ts';

const signal = new AbortController().signal;
const LIST = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const yaml = (name: string): string =>
  `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: ${name}\n`;

async function withChart(
  work: (parts: FakeParts, charts: Map<string, Pick<ReleaseInputs, 'chartPath' | 'upstream'>>) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lost-'));
  try {
    await mkdir(join(folder, 'chart', 'crds'), { recursive: true });
    await writeFile(join(folder, 'chart', 'crds', 'all.yaml'), `${yaml('a.example')}---\n${yaml('b.example')}`);
    await tar.create({ file: join(folder, 'chart.tgz'), gzip: true, cwd: folder }, ['chart']);
    await mkdir(join(folder, 'made', 'charts', 'part', 'templates'), { recursive: true });
    await writeFile(join(folder, 'made', 'charts', 'part', 'templates', 'all.yaml'), yaml('{{ .Values.name }}'));
    await tar.create({ file: join(folder, 'made.tgz'), gzip: true, cwd: folder }, ['made']);
    const upstream = {} as ReleaseInputs['upstream'];
    const charts = new Map([
      ['bundled', { chartPath: join(folder, 'chart') }],
      ['published', { chartPath: join(folder, 'chart.tgz'), upstream }],
      ['without', { chartPath: folder }],
      ['templates', { chartPath: join(folder, 'made.tgz'), upstream }],
    ]) as Map<string, Pick<ReleaseInputs, 'chartPath' | 'upstream'>>;
    await withFakeClients((parts) => work(parts, charts));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function present({ cluster }: FakeParts, name: string, more: object = {}): void {
  cluster.objects.set(`${LIST}/${name}`, {
    metadata: { name, uid: name, resourceVersion: '1', ...more },
    status: { conditions: [{ type: 'Established', status: 'True' }] },
  });
}

describe('definitions that a chart brings along', () => {
  test('those that are gone, or are going, are lost', () =>
    withChart(async (parts, charts) => {
      present(parts, 'a.example');
      present(parts, 'b.example', { deletionTimestamp: '2026-01-01T00:00:00Z' });
      const lost = await lostDefinitions(parts.clients.kubernetes, charts, signal);
      assert.deepEqual(
        [...lost],
        [
          ['bundled', ['b.example']],
          ['published', ['b.example']],
        ],
      );
    }));

  test('without the right to look nothing is said to be lost', () =>
    withChart(async ({ clients: { kubernetes } }, charts) => {
      kubernetes.list = () => Promise.reject(new KubernetesError(`GET ${LIST}`, 403, 'Forbidden', 'no'));
      assert.equal((await lostDefinitions(kubernetes, charts, signal)).size, 0);
    }));

  test('are made again, and only they', () =>
    withChart(async (parts, charts) => {
      const { clients, cluster } = parts;
      present(parts, 'a.example');
      const { apply } = clients.kubernetes;
      clients.kubernetes.apply = async (path, object, options, from) => {
        const made = await apply(path, object, options, from);
        present(parts, path.split('/').at(-1) ?? '');
        return made;
      };
      const chart = charts.get('bundled')!;
      assert.deepEqual(await putBackDefinitions(clients.kubernetes, { chart }, signal), ['b.example']);
      assert.deepEqual(
        cluster.applied.map(({ path }) => path),
        [`${LIST}/b.example`],
      );
    }));

  describe('among its templates', () => {
    const inEffect = { namespace: 'operators', name: 'templates', revision: 2, uid: 'of-this-test' };
    const applied = {
      namespace: 'operators',
      name: 'templates',
      manifest: `---\n# Source: x\n${yaml('a.example')}---\napiVersion: v1\nkind: Service\nmetadata: {name: x}\n---\n${yaml('b.example')}`,
    };

    test('are known from what Helm has recorded, which is read once for each revision', () =>
      withChart(async (parts, charts) => {
        const { kubernetes } = parts.clients;
        present(parts, 'a.example');
        const { manifest } = applied;
        parts.cluster.objects.set(...helmRecord({ ...inEffect, release: 'templates', manifest }));
        const get = kubernetes.get.bind(kubernetes);
        const asked: string[] = [];
        kubernetes.get = (path, from) => {
          asked.push(path);
          return get(path, from);
        };
        const chart = new Map([['templates', { ...charts.get('templates')!, inEffect }]]);
        for (const _look of [1, 2])
          assert.deepEqual([...(await lostDefinitions(kubernetes, chart, signal))], [['templates', ['b.example']]]);
        assert.deepEqual(asked, ['/api/v1/namespaces/operators/secrets/sh.helm.release.v1.templates.v2']);
        // Without definitions in it a chart costs no request.
        const plain = new Map([['without', { ...charts.get('without')!, inEffect }]]);
        assert.equal((await lostDefinitions(kubernetes, plain, signal)).size, 0);
        assert.equal(asked.length, 1);
      }));

    test("are made again in Helm's name and with its marks, whatever is applied from", () =>
      withChart(async (parts, charts) => {
        const { clients, cluster } = parts;
        present(parts, 'a.example');
        const { apply } = clients.kubernetes;
        const managers: (string | undefined)[] = [];
        clients.kubernetes.apply = async (path, object, options, from) => {
          managers.push(options?.manager);
          const made = await apply(path, object, options, from);
          present(parts, path.split('/').at(-1) ?? '');
          return made;
        };
        const chart = charts.get('templates');
        assert.deepEqual(await putBackDefinitions(clients.kubernetes, { chart, applied }, signal), ['b.example']);
        assert.deepEqual(await putBackDefinitions(clients.kubernetes, { applied }, signal), []);
        assert.deepEqual(managers, ['helm']);
        const [{ object }] = cluster.applied as unknown as [{ object: { metadata: Record<string, unknown> } }];
        assert.deepEqual(object.metadata['annotations'], {
          'meta.helm.sh/release-name': 'templates',
          'meta.helm.sh/release-namespace': 'operators',
        });
      }));
  });
});
