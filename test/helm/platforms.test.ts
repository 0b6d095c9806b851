/** The other platforms of the checkout: all their charts take the values that the deployer gives them. */
import assert from 'node:assert/strict';
import { cpus } from 'node:os';
import { describe, test } from 'node:test';
import PQueue from 'p-queue';
import { loadPlatform } from '../../src/environment/platform.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { allReleaseInputs } from '../../src/plan/inputs/release-inputs.ts';
import { findRelease } from '../../src/plan/releases.ts';
import { parseObjects } from './golden.ts';
import { config, helm, helmBinary, KUBERNETES_VERSION, sandbox } from './helm.ts';

const binary = await helmBinary();

describe('platforms', () => {
  for (const [platform, platformParameters] of [
    ['mini', {}],
    ['wide', { services: 4, layers: 2 }],
  ] as const) {
    test(`${platform}: each release renders to objects in its namespace, all of it named after it`, async () => {
      const environment: Environment = { ...(await sandbox()), platform, platformParameters };
      const catalog = await loadPlatform(environment, config);
      const inputs = [...(await allReleaseInputs(catalog, environment, {}, config))];
      assert.ok(inputs.length >= catalog.services.length);
      const queue = new PQueue({ concurrency: cpus().length });
      await queue.addAll(
        inputs.map(([name, { chartPath, values }]) => async () => {
          const { namespace, job } = findRelease(catalog, name);
          const text = await helm(
            binary,
            ['template', name, chartPath, '--namespace', namespace, '--kube-version', KUBERNETES_VERSION, '-f', '-'],
            values,
          );
          const objects = parseObjects(text);
          const workloads = objects.filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind));
          assert.deepEqual(
            workloads.map(({ kind }) => kind === 'Job'),
            [job],
            `${name}: ${workloads.map(({ kind }) => kind).join()}`,
          );
          assert.ok(workloads[0]!.metadata.name.startsWith(name), name);
        }),
      );
    });
  }
});
