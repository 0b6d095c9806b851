/** A chart that does not render, or is larger than the cluster keeps, is refused before anything is touched. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import * as tar from 'tar';
import { after, before, test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';
import { checkCharts } from '../../src/cli/deploy/checks/charts.ts';
import { recordBytes, recordSizeProblem } from '../../src/clients/helm/record-size.ts';
import { template } from '../../src/clients/helm/template.ts';
import { CliError } from '../../src/cli/shared/failure.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { EXIT_CODES } from '../../src/contract/failures.ts';
import { platformInputs } from '../../src/plan/inputs/platform-inputs.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { acquireTools } from '../../bootstrap/tools/index.ts';

let folder: string;
let config: Config;
let helm: string;
before(async () => {
  const real = readConfig();
  folder = await mkdtemp(join(tmpdir(), 'ananta-charts-'));
  await cp(join(real.repoRoot, 'helm'), join(folder, 'helm'), { recursive: true, verbatimSymlinks: true });
  config = { ...real, repoRoot: folder, stateRoot: join(folder, 'state') };
  helm = (await acquireTools({ names: ['helm'], cacheDir: real.cacheDir, env: real.childEnv }).get('helm')).path;
});
after(() => rm(folder, { recursive: true, force: true }));

const check = async (program = helm): Promise<void> => {
  const [catalog, environment] = [loadCatalog(), await loadEnvironment('sandbox', config)];
  await checkCharts(
    { catalog, environment, inputs: platformInputs(catalog, environment, config) },
    {},
    program,
    config,
  );
};

test('all charts render, and the second look needs no Helm', async () => {
  await check();
  await check('/nowhere/helm');
});

/** Of text, of which Helm keeps two forms: as it stands in the chart, and rendered. */
async function largeChart(name: string, kib: number): Promise<string> {
  const chart = join(folder, name);
  await mkdir(join(chart, 'templates'), { recursive: true });
  await mkdir(join(chart, 'files'));
  await writeFile(join(chart, 'Chart.yaml'), `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`);
  await writeFile(join(chart, 'values.yaml'), 'size: 1\n');
  await writeFile(join(chart, 'files', 'noise.txt'), randomBytes((kib * 1024 * 3) / 4).toString('base64'));
  await writeFile(
    join(chart, 'templates', 'all.yaml'),
    `apiVersion: v1
kind: ConfigMap
metadata: { name: ${name} }
data: { noise: '{{ .Files.Get "files/noise.txt" | trunc 200000 }}' }
`,
  );
  return chart;
}

test('the size of a record is known before Helm writes it, from a folder and from an archive', async () => {
  const chart = await largeChart('large', 500);
  const run = { release: 'large', namespace: 'apps', chartPath: chart, values: 'size: 2\n' };
  const rendered = await template(helm, folder, readConfig().childEnv, run);
  assert.ok('text' in rendered);
  const own = { ...run, manifest: rendered.text };
  const flags = ['--namespace', 'apps', '--dry-run=client', '--output', 'json', '--values', '-'];
  const { stdout } = await execa(helm, ['install', 'large', chart, ...flags], { input: run.values });
  const written = Math.ceil(gzipSync(stdout, { level: 9 }).length / 3) * 4;
  const archive = join(folder, 'large.tgz');
  await tar.create({ file: archive, gzip: true, cwd: folder }, ['large']);
  for (const chartPath of [chart, archive]) {
    const estimated = (await recordBytes({ ...own, chartPath })) ?? 0;
    assert.ok(Math.abs(estimated / written - 1) < 0.02, `${chartPath}: ${estimated} of ${written}`);
    assert.equal(await recordSizeProblem({ ...own, chartPath }), undefined);
  }
});

test('a record over 1 MiB and objects over what is kept are named, exit code 3; nothing is asked of a cluster', async () => {
  const templates = join(folder, 'helm', 'charts', 'jaeger', 'templates');
  const noise = randomBytes(800 * 1024).toString('base64');
  await writeFile(
    join(templates, 'large.yaml'),
    `apiVersion: v1
kind: ConfigMap
metadata: { name: noise }
data: { noise: ${noise} }
---
apiVersion: example.com/v1
kind: Thing
metadata: { name: long }
spec: { text: '${'x'.repeat(1_600_000)}' }
`,
  );
  await assert.rejects(check(), (error) => {
    assert.ok(error instanceof CliError);
    assert.equal(error.exitCode, EXIT_CODES.refused);
    assert.match(error.message, /jaeger .*: ConfigMap noise has 1067 KiB of data, and Kubernetes keeps 1024 KiB/);
    assert.match(error.message, /jaeger .*: Thing long has 1563 KiB, and etcd keeps 1536 KiB for an object/);
    assert.match(error.message, /jaeger .*: Helm's record of it would have about \d+ KiB, .*templates\/large.yaml/);
    assert.doesNotMatch(error.message, /keycloak/);
    return true;
  });
  await rm(join(templates, 'large.yaml'));
});

test('a broken template is named with what Helm says, exit code 3', async () => {
  await appendFile(
    join(folder, 'helm', 'charts', 'jaeger', 'templates', 'broken.yaml'),
    '{{ include "no-such-template" . }}\n',
  );
  await assert.rejects(
    check(),
    (error) =>
      error instanceof CliError &&
      error.exitCode === EXIT_CODES.refused &&
      /jaeger \(chart .*no-such-template/s.test(error.message) &&
      !error.message.includes('keycloak'),
  );
});
