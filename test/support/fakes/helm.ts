/** A program that stands in for Helm: it records how it was called and then does what the test says. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createHelmClient,
  type HelmClient,
  type HelmOptions,
  type UpgradeRequest,
} from '../../../src/clients/helm/index.ts';

export interface FakeHelm {
  folder: string;
  stateDir: string;
  client: HelmClient;
  /** Shell lines that the program runs for a release, after it has recorded its call. */
  behave: (release: string, script: string) => Promise<void>;
  request: (release: string, more?: Partial<UpgradeRequest>) => UpgradeRequest;
  /** What was recorded: `args`, `env`, `values`. */
  recorded: (release: string, what: 'args' | 'env' | 'values') => Promise<string>;
  /** Releases in the order in which the program was started. */
  order: () => Promise<string[]>;
  another: (options?: Partial<HelmOptions>) => HelmClient;
}

const PROGRAM = `#!/bin/sh
here=$(dirname "$0")
release=$3
for argument in "$@"; do printf '%s\\n' "$argument"; done > "$here/$release.args"
env > "$here/$release.env"
cat > "$here/$release.values"
echo "$release" >> "$here/order"
if [ -f "$here/$release.script" ]; then . "$here/$release.script"; fi
echo "REVISION: 1"
`;

export async function withFakeHelm(
  work: (helm: FakeHelm) => Promise<void>,
  options: Partial<HelmOptions> = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fake-helm-'));
  const stateDir = join(folder, 'state');
  const binary = join(folder, 'helm');
  await writeFile(binary, PROGRAM);
  await chmod(binary, 0o755);
  const another = (more: Partial<HelmOptions> = {}): HelmClient =>
    createHelmClient({
      binary,
      stateDir,
      concurrency: 2,
      timeoutSeconds: 20,
      finishSeconds: 0.3,
      env: { PATH: process.env['PATH'] ?? '' },
      kubernetes: { kubeconfig: '/a/kubeconfig', inCluster: false },
      ...options,
      ...more,
    });
  try {
    await work({
      folder,
      stateDir,
      another,
      client: another(),
      behave: (release, script) => writeFile(join(folder, `${release}.script`), script),
      request: (release, more = {}) => ({
        namespace: 'ns',
        release,
        chart: '/a/chart',
        values: 'a: 1\n',
        labels: { 'ananta-run': 'r', 'ananta-service': 's' },
        runId: 'r',
        priority: 1,
        ...more,
      }),
      recorded: (release, what) => readFile(join(folder, `${release}.${what}`), 'utf8'),
      order: async () => (await readFile(join(folder, 'order'), 'utf8')).trim().split('\n'),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
