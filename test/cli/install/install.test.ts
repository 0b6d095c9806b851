import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actionFor } from '../../../src/cli/install/release.ts';
import { notesForPods, prepareInstall } from '../../../src/cli/install/prepare.ts';
import { stepLine } from '../../../src/cli/install/report.ts';
import { requireRights } from '../../../src/cli/install/rights.ts';
import { describeQuestion } from '../../../src/effects/rights.ts';
import { ensureDatabasePassword } from '../../../src/cli/install/secrets.ts';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import { readConfig } from '../../../src/config.ts';
import { RELEASE_LABELS } from '../../../src/contract/names.ts';
import { loadEnvironment } from '../../../src/environment/load.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { engineInCluster } from '../../support/engine-in-cluster.ts';

const config = readConfig();
const staging = await loadEnvironment('staging', config);
const inCluster: Environment = {
  ...staging,
  engine: engineInCluster(),
  vault: { ...staging.vault, keys: { store: 'kubernetes', namespace: 'ananta-system', name: 'vault-keys' } },
};

describe('what is refused before the cluster is asked', () => {
  const cases: [string, Environment, { image?: string }, RegExp][] = [
    ['an engine on this machine', { ...staging, engine: { embedded: true } }, {}, /runs on this machine/],
    ['no image', inCluster, {}, /need an image/],
    ['an image without a version', inCluster, { image: 'registry:5000/deployer' }, /says its version/],
    [
      'keys in a file of a pod',
      { ...inCluster, vault: { ...inCluster.vault, keys: { store: 'file' } } },
      { image: 'a/b:1' },
      /gone with the pod/,
    ],
    [
      'a certificate that is not there',
      { ...inCluster, engine: { address: 'a:1', namespace: 'n', tls: { ca: '/nowhere/ca.crt' } } },
      { image: 'a/b:1' },
      /\/nowhere\/ca\.crt.*cannot be read/,
    ],
  ];
  for (const [name, environment, options, expected] of cases) {
    test(name, async () => {
      await assert.rejects(
        prepareInstall(environment, options, config),
        (error: Error & { exitCode?: number }) => error.exitCode === 3 && expected.test(error.message),
      );
    });
  }

  test('an engine of others and no image: nothing is installed', async () => {
    assert.equal((await prepareInstall({ ...inCluster, engine: staging.engine }, {}, config)).releases, undefined);
  });

  test('files of this machine that a pod does not have are told', () => {
    assert.match(
      notesForPods({ ...inCluster, notify: { ...inCluster.notify, headersFile: '/home/me/headers' } }).join('\n'),
      /headersFile \(\/home\/me\/headers\)/,
    );
  });
});

describe('rights', () => {
  test('all that is missing is listed, by what it is', async () => {
    const asked: string[] = [];
    const kubernetes = {
      server: 'https://api',
      mayI: (question: Parameters<typeof describeQuestion>[0]) => {
        asked.push(describeQuestion(question));
        return Promise.resolve(question.resource !== 'deployments' || question.verb !== 'create');
      },
    };
    await assert.rejects(
      requireRights(kubernetes, { deployer: { replicas: 2 } }),
      (error: Error & { exitCode?: number }) =>
        error.exitCode === 3 &&
        /create deployments\.apps in ananta-deployer/.test(error.message) &&
        !/statefulsets/.test(error.message),
    );
    assert.ok(asked.includes('create pods/portforward in ananta-deployer'));
    assert.ok(asked.includes('watch pods in the whole cluster'));
    assert.ok(asked.includes('escalate roles.rbac.authorization.k8s.io ananta-deployer in the whole cluster'));
  });
});

describe("the password of the engine's database", () => {
  const store = (objects: Record<string, unknown>) => ({
    get: (path: string) => Promise.resolve(objects[path] as KubernetesObject | undefined),
    create: (path: string, object: unknown) => {
      objects[`${path}/made`] = object;
      return Promise.resolve({ metadata: {} } as KubernetesObject);
    },
    apply: () => Promise.reject(new Error('nothing is applied')),
  });

  test('is made once', async () => {
    const objects: Record<string, unknown> = {};
    assert.equal(await ensureDatabasePassword(store(objects)), true);
    const { data } = objects['/api/v1/namespaces/ananta-deployer/secrets/made'] as { data: { password: string } };
    assert.ok(Buffer.from(data.password, 'base64').length >= 32);
    assert.equal(
      await ensureDatabasePassword(store({ '/api/v1/namespaces/ananta-deployer/secrets/deployer-database': {} })),
      false,
    );
  });

  test('is never made anew over a volume', async () => {
    await assert.rejects(
      ensureDatabasePassword(
        store({ '/api/v1/namespaces/ananta-deployer/persistentvolumeclaims/data-deployer-database-0': {} }),
      ),
      /lock the engine out/,
    );
  });
});

describe('one release', () => {
  const found = (
    status: 'deployed' | 'failed' | 'pending-upgrade',
    digest: string,
  ): Parameters<typeof actionFor>[1] => ({ status, labels: { [RELEASE_LABELS.digest]: digest } });
  test('is left alone only when it was deployed exactly so', () => {
    assert.equal(actionFor({ digest: 'a' }, undefined), 'install');
    assert.equal(actionFor({ digest: 'a' }, found('deployed', 'a')), 'unchanged');
    assert.equal(actionFor({ digest: 'a' }, found('deployed', 'b')), 'upgrade');
    assert.equal(actionFor({ digest: 'a' }, found('failed', 'a')), 'upgrade');
    assert.equal(actionFor({ digest: 'a' }, found('pending-upgrade', 'a')), 'upgrade');
  });

  test('is one line', () => {
    assert.equal(
      stepLine({ step: 'deployer-engine', state: 'made', text: 'installed', seconds: 1.23 }),
      '✔ deployer-engine    installed (1.2 s)',
    );
  });
});
