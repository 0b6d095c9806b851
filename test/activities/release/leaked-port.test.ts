import { DeployError } from '../../../src/contract/errors.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explainTakenPort } from '../../../src/effects/release/leaked-port.ts';
import { HelmError } from '../../../src/clients/helm/index.ts';
import type { KubernetesClient, KubernetesObject } from '../../../src/clients/kubernetes/index.ts';

const TAKEN = new HelmError(
  'RejectedByCluster',
  'helm upgrade --install web in apps: failed to create resource: server-side apply failed for object apps/web /v1, Kind=Service: Service "web" is invalid: spec.ports[0].nodePort: Invalid value: 31555: provided port is already allocated',
);

/** The error as it is explained after so many minutes, with a Service on NodePort 31000 and one on another. */
async function explained(error: unknown, port: number, minutes = 0): Promise<unknown> {
  const service = (name: string, nodePort?: number): KubernetesObject => ({
    metadata: { name, namespace: 'shop', uid: name, resourceVersion: '1' },
    spec: { ports: [{ port: 80, ...(nodePort === undefined ? {} : { nodePort }) }] },
  });
  const kubernetes: Pick<KubernetesClient, 'list'> = {
    list: () =>
      Promise.resolve({ metadata: { resourceVersion: '1' }, items: [service('inside'), service('theirs', port)] }),
  };
  return explainTakenPort(
    kubernetes,
    { namespace: 'apps', name: 'web' },
    error,
    minutes * 60_000,
    new AbortController().signal,
  );
}

describe('a NodePort that is taken', () => {
  test('by a Service: a person has to decide, and is told which', async () => {
    const found = await explained(TAKEN, 31555);
    assert.ok(found instanceof DeployError);
    assert.deepEqual(
      [found.type, /NodePort 31555, which Service shop\/theirs has/.test(found.message)],
      ['RejectedByCluster', true],
      found.message,
    );
  });

  test('by nobody: it is tried again until the API server has freed it', async () => {
    const found = await explained(TAKEN, 31000, 14);
    assert.ok(found instanceof DeployError);
    assert.deepEqual(
      [found.type, /allocated although no Service has it/.test(found.message)],
      ['HelmInterrupted', true],
      found.message,
    );
  });

  test('by nobody that can be seen, for too long: as Helm says it', async () => {
    assert.equal(await explained(TAKEN, 31000, 16), TAKEN);
  });

  test('other errors stay as they are', async () => {
    for (const error of [
      new HelmError('RejectedByCluster', 'exceeded quota'),
      new Error('provided port is already allocated'),
    ])
      assert.equal(await explained(error, 31555), error);
  });
});
