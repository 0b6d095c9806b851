/** What an export holds, and how a beginning is made from it. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkExport, readExportFile } from '../../../src/cli/rehearse/from-export.ts';
import { readConfig } from '../../../src/config.ts';
import { loadEnvironment } from '../../../src/environment/load.ts';
import { loadPlatform } from '../../../src/environment/platform.ts';
import { kubernetesDocuments } from '../../../src/plan/inputs/kubernetes-yaml.ts';
import { allReleaseInputs } from '../../../src/plan/inputs/release-inputs.ts';
import {
  type Export,
  type ExportedRelease,
  exportSchema,
  exportText,
  fromExport,
  staticChart,
  withoutSecretValues,
} from '../../../src/plan/rehearsal/export.ts';

const config = readConfig({});
const environment = await loadEnvironment('mini', config);
const catalog = await loadPlatform(environment, config);

const MANIFEST = `---
# Source: web/templates/secret.yaml
apiVersion: v1
kind: Secret
metadata: {name: web-login}
data:
  password: aHVudGVyMg==
stringData:
  token: hunter22
---
# Source: web/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data:
  mode: "0755"
  template: |
    {{ range . }}x{{ end }}
    --- not a document
  about: the Secret web-login
`;
const release = (more: Partial<ExportedRelease> = {}): ExportedRelease => ({
  service: 'web',
  name: 'web',
  namespace: 'apps',
  job: false,
  digest: 'aaaaaaaaaaaaaaaa',
  chart: { name: 'service', version: '1.2.3' },
  manifest: withoutSecretValues(MANIFEST),
  ...more,
});
const exported = (releases: ExportedRelease[], more: Partial<Export> = {}): Export => ({
  format: 1,
  environment: 'staging',
  platform: 'mini',
  clusterUid: 'u',
  at: '2026-12-01T00:00:00Z',
  releases,
  objects: [],
  ...more,
});

describe('an export', () => {
  test('has placeholders of the same length in the place of values of Secrets, and all else as it is written', () => {
    const [secret, map] = kubernetesDocuments(withoutSecretValues(MANIFEST)).map((each) => each.toJS() as never);
    assert.deepEqual(secret, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'web-login' },
      data: { password: Buffer.from('xxxxxxx').toString('base64') },
      stringData: { token: 'xxxxxxxx' },
    });
    assert.deepEqual(map, kubernetesDocuments(MANIFEST)[1]?.toJS());
    assert.doesNotMatch(withoutSecretValues(MANIFEST), /hunter|aHVudGVy/);
  });

  test('has neither the Secrets of a list, nor what sounds or looks like a secret in other objects', () => {
    const list = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: web-login}, data: {password: aHVudGVyMg==}}
- {apiVersion: v1, kind: Service, metadata: {name: web}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: web
        env:
        - {name: DB_PASSWORD, value: hunter22}
        - {name: MODE, value: quick}
        - {name: TOKEN, valueFrom: {secretKeyRef: {name: web-login, key: token}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {settings: "url: postgres://web:hunter23@db/web"}
`;
    const clear = withoutSecretValues(list);
    assert.doesNotMatch(clear, /hunter|aHVudGVyMg/);
    const [objects, deployment] = kubernetesDocuments(clear).map(
      (each) => each.toJS() as { items?: { kind: string }[] },
    );
    assert.deepEqual(
      objects?.items?.map(({ kind }) => kind),
      ['Secret', 'Service'],
    );
    assert.match(JSON.stringify(deployment), /"MODE","value":"quick".*"secretKeyRef":\{"name":"web-login"/);
  });

  test('says what it is of, and is refused by field where it is none', async () => {
    assert.match(exportText(exported([release()])), /^what ran in staging \(cluster u, exported 2026/);
    assert.match(exportText(exported([release()], { version: 12 })), /^version 12 of staging/);
    const folder = await mkdtemp(join(tmpdir(), 'ananta-export-'));
    try {
      const file = join(folder, 'x.json');
      for (const [text, message] of [
        ['{', /no JSON/],
        ['{"format": 2}', /no export of this program:[^]*format/],
        [JSON.stringify(exported([])), /releases/],
      ] as const) {
        await writeFile(file, text);
        await assert.rejects(readExportFile(file), message);
      }
      await writeFile(file, JSON.stringify(exported([release()])));
      assert.deepEqual(await readExportFile(file), exportSchema.parse(exported([release()])));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('of another platform, or of services that are not here, is refused', () => {
    const mini = { name: 'mini', platform: 'mini' };
    checkExport(exported([release()]), mini, catalog);
    assert.throws(() => checkExport(exported([release()], { platform: 'ananta' }), mini, catalog), /platform ananta/);
    assert.throws(() => checkExport(exported([release({ service: 'gone' })]), mini, catalog), /no service/);
  });
});

describe('the beginning that is made from it', () => {
  test('is what the checkout makes where that is the same, else what was recorded', async () => {
    const digests = await allReleaseInputs(catalog, environment, {}, config);
    const all = [...digests].map(([name, { digest }]) => {
      const of = catalog.services.find((service) =>
        [service, ...service.before, ...service.after].some((step) => step.name === name),
      );
      return release({ name, service: of?.name ?? '', digest });
    });
    assert.deepEqual(fromExport({ releases: all }, catalog, digests), { only: undefined, changed: [], gone: [] });
    const changed = all.map((each) => (each.name === 'web' ? { ...each, digest: 'b' } : each));
    const without = changed.filter(({ service }) => service !== 'api');
    const found = fromExport({ releases: [...without, release({ service: 'old', name: 'old' })] }, catalog, digests);
    assert.deepEqual(
      found.changed.map(({ name }) => name),
      ['web'],
    );
    assert.ok(found.only !== undefined && !found.only.includes('api') && found.only.includes('web'));
    assert.deepEqual(found.gone, ['old']);
  });

  test('is a chart that renders what was recorded; a Job has the name that its content here gives it', () => {
    const chart = staticChart(release());
    assert.match(chart['Chart.yaml'] ?? '', /"name":"service","version":"1.2.3"/);
    assert.ok(chart['templates/objects.yaml']?.includes('{{ "{{" }} range . }}x{{ "{{" }} end }}'));
    const job = staticChart(
      release({ name: 'web-migrate', job: true, manifest: 'metadata: {name: web-migrate-0123abcd}\n' }),
    );
    assert.equal(job['templates/objects.yaml'], 'metadata: {name: {{ .Values.job.name }}}\n');
  });

  test('a chart of a folder wins over the others, changes the digest, and what others make is as before', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ananta-chart-'));
    try {
      const before = await allReleaseInputs(catalog, environment, {}, config);
      for (const [name, text] of Object.entries(staticChart(release())).filter(([each]) => !each.includes('/')))
        await writeFile(join(folder, name), text);
      const after = await allReleaseInputs(catalog, { ...environment, chartFolders: { web: folder } }, {}, config);
      assert.equal(after.get('web')?.chartPath, folder);
      assert.notEqual(after.get('web')?.digest, before.get('web')?.digest);
      assert.deepEqual(after.get('api'), before.get('api'));
      assert.match(await readFile(join(folder, 'values.yaml'), 'utf8'), /\{\}/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
