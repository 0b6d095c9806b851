/** Charts, rendered for another version of Kubernetes: what they make of it, and their own limits. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { renderedFor } from '../../src/effects/upgrade/rendered.ts';
import { config, helmBinary } from './helm.ts';

const TEMPLATE = `apiVersion: {{ if semverCompare ">=1.36-0" .Capabilities.KubeVersion.Version }}new/v1{{ else }}old/v1{{ end }}
kind: Thing
metadata: {name: thing}
`;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'upgrade-'));
  for (const [name, limit] of [
    ['any', ''],
    ['bounded', 'kubeVersion: "<1.36.0-0"\n'],
  ] as const) {
    await mkdir(join(folder, name, 'templates'), { recursive: true });
    await writeFile(join(folder, name, 'Chart.yaml'), `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n${limit}`);
    await writeFile(join(folder, name, 'templates', 'thing.yaml'), TEMPLATE);
  }
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('charts for another Kubernetes', () => {
  for (const [kubernetes, apiVersion, refused] of [
    ['1.35.0', 'old/v1', []],
    ['1.36.0', 'new/v1', ['bounded']],
  ] as const)
    test(kubernetes, async () => {
      const input = (chart: string): Parameters<typeof renderedFor>[1][number] => ({
        release: chart,
        namespace: 'apps',
        input: { chartPath: join(folder, chart), values: '{}', digest: 'd' },
      });
      const rendering = { helm: await helmBinary(), home: join(folder, 'home'), env: config.childEnv, kubernetes };
      const found = await renderedFor(rendering, [input('any'), input('bounded')]);
      assert.deepEqual(found.used.get('any'), [{ apiVersion, kind: 'Thing', object: 'apps/thing' }]);
      assert.deepEqual(
        found.refused.map(({ release }) => release),
        [...refused],
      );
      for (const { message } of found.refused) assert.match(message, /kubeVersion.*1\.36\.0/);
    });
});
