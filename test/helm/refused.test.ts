/** A chart or values file that does not render is refused before anything is touched. */
import assert from 'node:assert/strict';
import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';
import { checkCharts } from '../../src/cli/deploy/checks/charts.ts';
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
