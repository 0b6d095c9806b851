/**
 * Values that somebody writes beside a chart, and what `env check` says of them before anything is deployed: Helm's own
 * schema first, then what the API server would refuse (test/support/odd-objects.ts is tried on a real one).
 */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { acquireTools } from '../../bootstrap/tools/index.ts';
import type { Catalog } from '../../src/catalog/schema.ts';
import { renderedProblems } from '../../src/cli/look/rendered-problems.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { mergeTrees, type Tree } from '../../src/environment/files/merge.ts';
import { loadPlatform } from '../../src/environment/platform.ts';
import type { Environment } from '../../src/environment/schema.ts';

let folder: string;
let config: Config;
let environment: Environment;
let catalog: Catalog;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-odd-values-'));
  const real = readConfig();
  await acquireTools({ names: ['helm'], cacheDir: real.cacheDir, env: real.childEnv }).get('helm');
  await cp(join(real.repoRoot, 'platforms', 'mini'), join(folder, 'mini'), { recursive: true });
  config = { ...real, stateRoot: join(folder, 'state') };
  environment = { ...(await loadEnvironment('mini', real)), platform: join(folder, 'mini') };
  catalog = await loadPlatform(environment, config);
});
after(() => rm(folder, { recursive: true, force: true }));

/** With more values of a release, which are taken back afterwards. */
async function problemsWith(release: string, more: Tree | string): Promise<string[]> {
  const file = join(folder, 'mini', 'helm', 'values', `${release}.yaml`);
  const before = await readFile(file, 'utf8');
  try {
    const text = typeof more === 'string' ? `${before}\n${more}\n` : stringify(mergeTrees(parse(before) as Tree, more));
    await writeFile(file, text);
    const { problems, notes } = await renderedProblems(catalog, environment, config);
    assert.deepEqual(notes, []);
    return problems.map(({ message }) => message);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  } finally {
    await writeFile(file, before);
  }
}

const REFUSED: [what: string, release: string, more: Tree | string, says: RegExp][] = [
  // Helm's schema of the chart.
  ['a key mistyped', 'web', { replicaCoun: 2 }, /release web .*replicaCoun/],
  ['text for a number', 'web', { terminationGracePeriodSeconds: '2' }, /release web .*terminationGrace/],
  ['a fraction of a second', 'web', { terminationGracePeriodSeconds: 1.5 }, /release web .*terminationGrace/],
  ['a number for a variable', 'api', { env: { PORT: 8080 } }, /release api .*PORT/],
  ['a size in gigabytes', 'storage', { data: { size: '10GB' } }, /release storage .*10GB|no quantity/],
  ['memory in words', 'web', { resources: { limits: { memory: 'lots' } } }, /release web .*memory/],
  ['a user that is root', 'web', { security: { user: 0 } }, /release web .*user/],
  ['a list of numbers for arguments', 'web', { args: [1, 2] }, /release web .*args/],
  ['a template that nobody closes', 'web', { env: { URL: 'https://{{ .Values.global.domain' } }, /release web/],
  ['a function that Helm lacks', 'web', { env: { URL: '{{ frobnicate 1 }}' } }, /frobnicate/],
  ['YAML that is none', 'web', 'env: [', /web\.yaml/],
  ['a key twice', 'web', 'env: {A: "1"}', /web\.yaml/],
  // What Helm lets through.
  [
    'a label too long',
    'web',
    { podLabels: { team: 'a'.repeat(64) } },
    /release web: Deployment apps\/web: .*team: .*no value of a label/,
  ],
  ['a label with a blank', 'web', { podLabels: { 'my team': 'a' } }, /no key of a label/],
  ['an annotation with two slashes', 'web', { podAnnotations: { 'a/b/c': 'x' } }, /no key of an annotation/],
  [
    'labels that break the selector',
    'web',
    { podLabels: { 'app.kubernetes.io/instance': 'other' } },
    /do not fit the selector|twice|already/,
  ],
  [
    'requests over limits',
    'web',
    { resources: { requests: { memory: '1Gi' }, limits: { memory: '64Mi' } } },
    /requests\.memory: 1Gi is more than the limit of 64Mi/,
  ],
  ['a resource that is none', 'web', { resources: { limits: { ram: '1Gi' } } }, /limits\.ram: is no resource/],
  [
    'a mode that is none',
    'web',
    { volumes: [{ name: 'x', secret: { secretName: 's', defaultMode: 644 } }] },
    /defaultMode: 644 is no file mode/,
  ],
  [
    'a volume of two kinds',
    'web',
    { volumes: [{ name: 'x', emptyDir: {}, configMap: { name: 'c' } }] },
    /more than one source/,
  ],
  ['a volume without a name', 'web', { volumes: [{ emptyDir: {} }] }, /volumes\[\d\]\.name: is missing/],
  ['a volume with a misspelt source', 'web', { volumes: [{ name: 'x', emptydir: {} }] }, /did you mean "emptyDir"/],
  [
    'a mount of nothing',
    'web',
    { volumeMounts: [{ name: 'nowhere', mountPath: '/x' }] },
    /volumeMounts\[nowhere\]: there is no volume/,
  ],
  [
    'two mounts at one place',
    'web',
    { volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }] },
    /volumeMounts\[tmp\]: is there twice/,
  ],
  [
    'a probe that asks twice',
    'worker',
    { probes: { readiness: { httpGet: { path: '/', port: 1 } } } },
    /readinessProbe: has to have exactly one/,
  ],
  [
    'a probe of the past',
    'worker',
    { probes: { liveness: { initialDelaySeconds: -5 } } },
    /initialDelaySeconds: -5 is less than 0/,
  ],
  [
    'a probe at a port of a long name',
    'worker',
    { probes: { liveness: { tcpSocket: { port: 'the-health-port-of-it' } } } },
    /at most 15/,
  ],
  [
    'a probe with a text for a number',
    'worker',
    { probes: { liveness: { periodSeconds: '5' } } },
    /periodSeconds: has to be a whole number/,
  ],
  ['a toleration without a key', 'web', { scheduling: { tolerations: [{ value: 'x' }] } }, /tolerations\[0\].*Exists/],
  [
    'a node selector that is true',
    'web',
    { scheduling: { nodeSelector: { gpu: true } } },
    /nodeSelector\.gpu: has to be a text/,
  ],
  ['an affinity mistyped', 'web', { scheduling: { affinity: { nodeAfinity: {} } } }, /did you mean "nodeAffinity"/],
  [
    'an affinity that selects by nothing',
    'web',
    {
      scheduling: {
        affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: {} }] } },
      },
    },
    /topologyKey: is missing/,
  ],
  ['a hook mistyped', 'web', { lifecycle: { prestop: { exec: { command: ['x'] } } } }, /did you mean "preStop"/],
  ['a variable with =', 'web', { env: { 'A=B': 'x' } }, /no name of a variable/],
  ['a key with a blank', 'web', { envFromSecret: { KEY: { name: 's', key: 'a key' } } }, /secretKeyRef.*no key/],
];

describe('odd values are told before anything is deployed', { concurrency: 1 }, () => {
  test('none as it is', async () => assert.deepEqual(await problemsWith('web', {}), []));
  for (const [what, release, more, says] of REFUSED)
    test(what, async () => {
      const problems = await problemsWith(release, more);
      assert.match(problems.join('\n'), says);
    });
});
