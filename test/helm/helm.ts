/** Runs the pinned Helm on the charts, with the values that a deployment would give it. */
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import PQueue from 'p-queue';
import { acquireTools } from '../../bootstrap/tools/index.ts';
import { loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { allReleaseInputs } from '../../src/plan/inputs/release-inputs.ts';
import { allReleases, type Release } from '../../src/plan/releases.ts';

export const KUBERNETES_VERSION = 'v1.35.0';

export interface ChartRun {
  release: Release;
  chartPath: string;
  /** YAML. */
  values: string;
}

export const config = readConfig();
export const catalog = loadCatalog();

/** What Helm is given for every release of an environment. */
export async function chartRuns(environment: Environment, names?: readonly string[]): Promise<ChartRun[]> {
  const inputs = await allReleaseInputs(catalog, environment, {}, config);
  return allReleases(catalog).flatMap((release) => {
    const input = inputs.get(release.name);
    return input === undefined || names?.includes(release.name) === false
      ? []
      : [{ release, chartPath: input.chartPath, values: input.values }];
  });
}

export async function sandbox(): Promise<Environment> {
  return loadEnvironment('sandbox', config);
}

/** Staging's replicas, storage class and pull secrets, with the charts of this repository. */
export async function replicated(): Promise<Environment> {
  return { ...(await loadEnvironment('staging', config)), charts: 'bundled' };
}

/** Production's Vault, with a key service besides, and one image by its digest, with the charts of this repository. */
export async function guarded(): Promise<Environment> {
  const prod = await loadEnvironment('prod', config);
  return {
    ...prod,
    charts: 'bundled',
    images: { ...prod.images, tags: { keycloak: `sha256:${'5'.repeat(64)}` } },
    vault: {
      ...prod.vault,
      seal: {
        type: 'awskms',
        parameters: { region: 'eu-central-1', kms_key_id: 'alias/vault' },
        credentials: { secret: 'vault-seal', keys: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] },
        serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::000000000000:role/vault' },
      },
    },
  };
}

export async function helmBinary(): Promise<string> {
  const tools = acquireTools({
    names: ['helm'],
    cacheDir: config.cacheDir,
    mirror: config.toolsMirror,
    env: config.childEnv,
  });
  return (await tools.get('helm')).path;
}

/** @returns standard output @throws Error with what Helm said */
export async function helm(binary: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(binary, args, { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      // Helm warns that the library chart is a symbolic link in every chart.
      else
        reject(
          new Error(
            [stdout, ...stderr.split('\n').filter((line) => !line.includes('found symbolic link'))].join('\n'),
            { cause: error },
          ),
        );
    });
    child.stdin?.end(input);
  });
}

/** Renders each, as many at once as there are cores. @returns text per release */
export async function renderAll(binary: string, runs: readonly ChartRun[]): Promise<Map<string, string>> {
  const queue = new PQueue({ concurrency: cpus().length });
  return new Map(
    await queue.addAll(
      runs.map(
        ({ release, chartPath, values }) =>
          async () =>
            [
              release.name,
              await helm(
                binary,
                [
                  'template',
                  release.name,
                  chartPath,
                  '--namespace',
                  release.namespace,
                  '--kube-version',
                  KUBERNETES_VERSION,
                  '--values',
                  '-',
                ],
                values,
              ),
            ] as const,
      ),
    ),
  );
}
