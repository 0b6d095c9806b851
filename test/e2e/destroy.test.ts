/**
 * Destroys a platform and deploys it again, on one sandbox: what stays, what goes, what is stuck in deletion, what
 * belongs to others; and before that, which writer owns which field.
 */
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clearFailure, failRelease } from '../../bootstrap/cluster/index.ts';
import type { KubernetesClient } from '../../src/clients/kubernetes/index.ts';
import { readConfig } from '../../src/config.ts';
import { loadPlatform } from '../../src/environment/platform.ts';
import { BYSTANDER, plantBystander } from '../support/sandbox/bystander.ts';
import {
  clusterOf,
  factsOf,
  generatedInSecrets,
  kubeconfigOf,
  secretValues,
} from '../support/sandbox/cluster-facts.ts';
import { failuresOf, MINI, type ResultLine, resultOf, type Sandbox, withSandbox } from '../support/sandbox/sandbox.ts';
import { deployedSandbox } from '../support/sandbox/snapshot.ts';
import { FIELDS, fieldsTests } from './fields.ts';

interface Remain {
  kind: string;
  namespace?: string;
  name: string;
  state: string;
  reason: string;
}

const catalog = await loadPlatform({ platform: MINI.platform, platformParameters: {} }, readConfig());
const { namespaces } = catalog;
const GENERATED = generatedInSecrets(catalog);
const remainsOf = (result: ResultLine): Remain[] => (result['remains'] as Remain[] | undefined) ?? [];
const destroy = (sandbox: Sandbox, ...args: string[]): ReturnType<Sandbox['look']> =>
  sandbox.look(['destroy', '--json', '--confirm', sandbox.name, ...args]);

/** Names of the platform's namespaces that exist. */
async function namespacesOf(cluster: KubernetesClient): Promise<string[]> {
  const { items } = await cluster.list('/api/v1/namespaces', { metadataOnly: true });
  return items
    .map(({ metadata }) => metadata.name)
    .filter((name) => namespaces.some((one) => one.name === name))
    .sort();
}
/** Passwords and the like. The reviewer's token is the cluster's, not Vault's: it is made anew each time. */
async function passwordsOf(cluster: KubernetesClient): Promise<string[]> {
  return [...(await secretValues(cluster, catalog))]
    .filter(([, place]) => !place.includes('vault-token-reviewer-token'))
    .map(([value]) => value)
    .sort();
}
async function secretsOf(cluster: KubernetesClient): Promise<Record<string, string>> {
  const { 'vault-system/vault-token-reviewer-token': _token, ...secrets } = (await factsOf(cluster)).secrets;
  return secrets;
}
async function claimsOf(cluster: KubernetesClient): Promise<Record<string, string>> {
  const { items } = await cluster.list('/api/v1/persistentvolumeclaims', { metadataOnly: true });
  return Object.fromEntries(
    items
      .filter(({ metadata }) => metadata.namespace !== BYSTANDER.namespace)
      .map(({ metadata }) => [`${metadata.namespace ?? ''}/${metadata.name}`, metadata.uid]),
  );
}
async function nothingOfOursBut(cluster: KubernetesClient, kept: string[]): Promise<void> {
  const lists = await Promise.all([
    cluster.list('/api/v1/secrets', { labelSelector: 'owner=helm', metadataOnly: true }),
    ...[
      '/api/v1/secrets',
      '/api/v1/configmaps',
      '/api/v1/services',
      '/api/v1/serviceaccounts',
      '/apis/apps/v1/deployments',
      '/apis/apps/v1/statefulsets',
      '/apis/batch/v1/jobs',
      '/apis/networking.k8s.io/v1/networkpolicies',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    ].map((path) => cluster.list(path, { labelSelector: 'app.kubernetes.io/managed-by=Helm', metadataOnly: true })),
    ...['/api/v1/secrets', '/api/v1/serviceaccounts', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'].map(
      (path) => cluster.list(path, { labelSelector: 'app.kubernetes.io/managed-by=ananta-deploy', metadataOnly: true }),
    ),
  ]);
  const left = lists
    .flatMap(({ items }) => items)
    .filter(({ metadata }) => !['ananta-system', BYSTANDER.namespace].includes(metadata.namespace ?? ''))
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
  assert.deepEqual(left, []);
  const { items: pods } = await cluster.list('/api/v1/pods', { metadataOnly: true });
  assert.deepEqual(
    pods.map(({ metadata }) => metadata.name),
    [],
  );
  const { items: definitions } = await cluster.list('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadataOnly: true,
  });
  assert.deepEqual(
    definitions.map(({ metadata }) => metadata.name).filter((name) => !name.endsWith('.kwok.x-k8s.io')),
    [],
  );
  assert.deepEqual(await namespacesOf(cluster), kept);
}

/** Until an object has been deleted. */
async function gone(cluster: KubernetesClient, path: string): Promise<void> {
  for (const deadline = Date.now() + 120_000; (await cluster.get(path)) !== undefined; ) {
    if (Date.now() > deadline) throw new Error(`${path} is still there after 120 s`);
    await sleep(50);
  }
}

/** The process that took the place of the one that was killed. */
async function another(pid: () => Promise<number>, killed: number): Promise<number> {
  for (const deadline = Date.now() + 60_000; ; ) {
    const now = await pid().catch(() => killed);
    if (now !== killed) return now;
    if (Date.now() > deadline) throw new Error(`Nothing took the place of process ${killed}`);
    await sleep(100);
  }
}

describe('destroy', { concurrency: 1 }, () => {
  test('keeps data and what is not ours, names what hangs, survives its worker, and deletes data only when told', async (t) => {
    // Seconds that something hanging is waited for, in vain, twice: first the object, then its namespace.
    const settings = { drift: { everySeconds: 86_400 }, deletionProgressDeadlineSeconds: 15, fields: FIELDS };
    await withSandbox(deployedSandbox(settings), async (sandbox) => {
      const cluster = await clusterOf(sandbox);
      const kubeconfig = await kubeconfigOf(sandbox);
      const bystander = await plantBystander(cluster, { kubeconfig, folder: sandbox.folder });
      await t.test('fields of objects of the platform', (inner) => fieldsTests(inner, sandbox));
      await bystander.assertUntouched();
      const before = {
        facts: await factsOf(cluster),
        secrets: await secretsOf(cluster),
        values: await passwordsOf(cluster),
        claims: await claimsOf(cluster),
      };
      const dataNamespaces = [...new Set(Object.keys(before.claims).map((key) => key.split('/')[0] ?? ''))].sort();
      assert.ok(dataNamespaces.length >= 2 && before.values.length >= GENERATED);

      await t.test(
        "is refused without the environment's name, with a wrong one, and where the environment is protected",
        async () => {
          const unsaid = await sandbox.look(['destroy']);
          assert.deepEqual([unsaid.code, /--confirm rehearsal/.test(unsaid.stderr)], [3, true], unsaid.stderr);
          const wrong = await sandbox.look(['destroy', '--confirm', 'staging']);
          assert.deepEqual(
            [wrong.code, /does not name the environment "rehearsal"/.test(wrong.stderr)],
            [3, true],
            wrong.stderr,
          );
          await sandbox.configure({ protected: true });
          const guarded = await sandbox.look(['destroy', '--confirm', sandbox.name]);
          // A sandbox is refused because it cannot be protected, before it is asked what `protected` means for a
          // destruction.
          assert.deepEqual(
            [guarded.code, /a protected environment needs a Temporal that outlives this machine/.test(guarded.stderr)],
            [3, true],
            guarded.stderr,
          );
          await sandbox.configure({});
          assert.deepEqual(await factsOf(cluster), before.facts);
        },
      );

      await t.test('is refused while somebody holds the lock, who is named', async () => {
        // It holds the lock until the other one was refused, however long that takes.
        await sandbox.simulate((api) => failRelease(api, 'web', 'never-ready'));
        const holder = sandbox.begin(['deploy', '--json', '--image', 'web=0.0.2']);
        await holder.line(({ type }) => type === 'started');
        const refused = await destroy(sandbox);
        assert.equal(refused.code, 3, refused.stderr);
        assert.match(refused.stderr, /The deployment of "rehearsal" that \S+ started at \S+ holds the lock/);
        await sandbox.simulate((api) => clearFailure(api, 'web'));
        assert.equal((await holder.done).code, 0);
      });

      await t.test(
        'volumes, Vault and what is not ours stay; SIGKILL of the worker among the releases, and among what is left of them, changes nothing',
        async () => {
          // A workload's settings of somebody else, and one in a namespace without volumes.
          await cluster.apply('/api/v1/namespaces/operators/configmaps/their-dashboards', {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name: 'their-dashboards' },
            data: { a: 'b' },
          });
          const running = sandbox.begin(['destroy', '--json', '--confirm', sandbox.name]);
          await running.line((line) => line.type === 'service' && line['state'] === 'removed');
          const first = await sandbox.pidOf('worker');
          process.kill(first, 'SIGKILL');
          const second = await another(() => sandbox.pidOf('worker'), first);
          // Secrets made from Vault go after the last release, and before the namespaces.
          await gone(cluster, '/api/v1/namespaces/apps/secrets/vault-auth-admin');
          process.kill(second, 'SIGKILL');
          assert.ok((await namespacesOf(cluster)).includes('apps'), 'it was killed when all was done');
          const run = await running.done;
          const result = resultOf(run);
          assert.equal(result.outcome, 'succeeded', failuresOf(run));
          assert.ok(result.services.every(({ state }) => state === 'removed'));
          await nothingOfOursBut(cluster, [...dataNamespaces, 'operators'].sort());
          assert.deepEqual(await claimsOf(cluster), before.claims);
          assert.ok(await cluster.get('/api/v1/namespaces/operators/configmaps/their-dashboards'));
          const remains = remainsOf(result);
          assert.match(
            remains.find(({ kind, name }) => kind === 'Namespace' && name === 'operators')?.reason ?? '',
            /not ours: ConfigMap their-dashboards/,
          );
          assert.deepEqual(
            remains
              .filter(({ kind }) => kind === 'PersistentVolumeClaim')
              .map(({ namespace, name }) => `${namespace ?? ''}/${name}`)
              .sort(),
            Object.keys(before.claims).sort(),
          );
          assert.ok(remains.every(({ state }) => state === 'kept'));
          assert.equal(resultOf(await destroy(sandbox)).outcome, 'unchanged');
        },
      );

      await t.test('a new deployment goes on with the old data and the old passwords', async () => {
        assert.equal((await sandbox.deploy()).outcome, 'succeeded');
        assert.deepEqual(await secretsOf(cluster), before.secrets);
        assert.deepEqual(await passwordsOf(cluster), before.values);
        assert.deepEqual(await claimsOf(cluster), before.claims);
      });

      await t.test(
        'what hangs is named with what holds it, and the run ends; afterwards it goes on, data included',
        async () => {
          // Ours by its mark, so it goes with the platform; somebody's finalizer holds it.
          const held = '/api/v1/namespaces/apps/configmaps/held';
          const base = {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name: 'held', labels: { 'app.kubernetes.io/managed-by': 'ananta-deploy' } },
          };
          await cluster.apply(held, { ...base, metadata: { ...base.metadata, finalizers: ['example.com/hold'] } });
          await cluster.remove('/api/v1/namespaces/operators/configmaps/their-dashboards');
          const run = await destroy(sandbox, '--delete-data');
          const result = resultOf(run);
          assert.deepEqual([run.code, result.outcome], [1, 'failed'], failuresOf(run));
          const stuck = remainsOf(result).filter(({ state }) => state === 'stuck');
          assert.ok(
            stuck.some(
              ({ kind, name, reason }) =>
                kind === 'ConfigMap' && name === 'held' && reason.includes('example.com/hold'),
            ),
            JSON.stringify(stuck),
          );
          assert.ok(
            stuck.some(
              ({ kind, name, reason }) =>
                kind === 'Namespace' &&
                name === 'apps' &&
                reason.includes('ConfigMap held is held by finalizer example.com/hold'),
            ),
            JSON.stringify(stuck),
          );
          assert.deepEqual(await namespacesOf(cluster), ['apps']);
          await cluster.apply(held, base);
          // The namespace ends by itself now; where it does so between the plan and the run, that is asked for anew.
          let again = await destroy(sandbox, '--delete-data');
          if (again.code === 3 && failuresOf(again).includes('PlanOutdated'))
            again = await destroy(sandbox, '--delete-data');
          assert.equal(again.code, 0, failuresOf(again));
          await nothingOfOursBut(cluster, []);
          assert.deepEqual(remainsOf(resultOf(again)), []);
          assert.deepEqual(await claimsOf(cluster), {});
          assert.equal(await cluster.get('/api/v1/namespaces/ananta-system'), undefined);
          await bystander.assertUntouched();
          await assert.rejects(access(`${sandbox.state}/vault-keys.json`));
        },
      );

      await t.test('after that a deployment begins with a new Vault and other passwords', async () => {
        assert.equal((await sandbox.deploy()).outcome, 'succeeded');
        const values = await passwordsOf(cluster);
        assert.ok(values.length >= GENERATED);
        assert.deepEqual(
          values.filter((value) => before.values.includes(value)),
          [],
        );
      });
      await bystander.assertUntouched();
      cluster.close();
    });
  });
});
