/**
 * The deployer goes into the target cluster: the embedded one, whose pods are simulated. Behind the pods of its engine
 * a real Temporal answers, reached as on any cluster: through the API server. Processes of this machine stand for its
 * workers, with tokens of their service accounts: a whole platform is deployed and taken down with the deployer's
 * rights and no others.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createKubernetesClient, KubernetesError, type KubernetesClient } from '../../src/clients/kubernetes/index.ts';
import { IN_CLUSTER } from '../../src/contract/names.ts';
import { bystanderOn } from '../support/sandbox/bystander.ts';
import { actingAs, type Acting } from '../support/identity.ts';
import { clusterOf } from '../support/sandbox/cluster-facts.ts';
import { createSandbox, failuresOf, MINI, resultOf, type CliRun, type Sandbox } from '../support/sandbox/sandbox.ts';
import { type Kubectl, kubectlOn } from '../support/sandbox/kubectl.ts';

const IMAGE = 'registry.example/platform/ananta-deploy';
const SETTINGS = {
  ...MINI,
  engine: { inCluster: {} },
  vault: { keys: { store: 'kubernetes' } },
  deployer: { image: `${IMAGE}:0.1.0` },
  ingress: { tls: { clusterIssuer: 'letsencrypt' } },
};

interface Step {
  type: 'step';
  step: string;
  state: string;
  text: string;
}
const steps = (run: CliRun): Step[] => run.lines.filter(({ type }) => type === 'step') as unknown as Step[];
const changed = (run: CliRun): unknown => run.lines.at(-1)?.['changed'];

describe('install', () => {
  test('the deployer goes into the cluster, is left alone, upgraded under a deployment, and refuses what would cost data', async () => {
    const sandbox = await createSandbox(SETTINGS);
    const workers: { kill: (signal: NodeJS.Signals) => void; done: Promise<unknown> }[] = [];
    try {
      const dry = await sandbox.look(['install', '--dry-run']);
      assert.equal(dry.code, 2, dry.stderr);
      assert.match(dry.stdout, /kind: StatefulSet[^]*kind: Deployment/);
      assert.doesNotMatch(dry.stdout, /kind: Secret\n/);

      const first = await sandbox.look(['install', '--json']);
      assert.equal(first.code, 0, first.stderr);
      assert.deepEqual(
        steps(first)
          .filter(({ state }) => state === 'made')
          .map(({ step }) => step)
          .filter((step) => step.startsWith('deployer-')),
        ['deployer-database', 'deployer-schema', 'deployer-engine', 'deployer-ui', 'deployer-worker'],
      );
      assert.equal(steps(first).find(({ step }) => step === 'role')?.state, 'checked', JSON.stringify(steps(first)));

      const bystander = await bystanderOn(sandbox);
      const again = await sandbox.look(['install', '--json']);
      assert.equal(again.code, 0, again.stderr);
      assert.deepEqual(changed(again), []);

      const nobody = await sandbox.look(['deploy']);
      assert.equal(nobody.code, 3);
      assert.match(nobody.stderr, /no worker asks the task queue[^]*npm run ananta -- install --env rehearsal/);

      await upgradeUnderDeployment(sandbox, workers);
      await refusals(sandbox);
      await bystander.assertUntouched();
    } finally {
      for (const worker of workers) worker.kill('SIGTERM');
      await Promise.all(workers.map(({ done }) => done));
      await sandbox.close();
    }
  });
});

function kubectlFor({ state, folder }: Sandbox): Promise<Kubectl> {
  return kubectlOn(join(state, 'cluster', 'kubeconfig'), folder);
}

/** One worker goes, another comes, the release of the workers is upgraded: the deployment notices nothing. */
async function upgradeUnderDeployment(
  sandbox: Sandbox,
  workers: { kill: (signal: NodeJS.Signals) => void; done: Promise<unknown> }[],
): Promise<void> {
  const kubectl = await kubectlFor(sandbox);
  const password = (): Promise<string> =>
    kubectl([
      'get',
      'secret',
      IN_CLUSTER.databaseSecret,
      '--namespace',
      IN_CLUSTER.namespace,
      '--output',
      'jsonpath={.data.password}',
    ]);
  const before = await password();
  const cluster = await clusterOf(sandbox);
  // The workers have a token of their service account and nothing else.
  const deployer = await actingAs(IN_CLUSTER.worker, sandbox, cluster);
  const old = sandbox.start(['worker'], '', { ANANTA_STATE_DIR: deployer.stateRoot });
  workers.push(old);
  await workerHeard(sandbox);
  const deploying = sandbox.begin(['deploy', '--json']);
  await deploying.line(({ type, state }) => type === 'service' && state === 'healthy');

  const upgrade = await sandbox.look(['install', '--image', `${IMAGE}:0.2.0`, '--json']);
  assert.equal(upgrade.code, 0, upgrade.stderr);
  assert.deepEqual(changed(upgrade), ['deployer-worker']);
  workers.push(sandbox.start(['worker'], '', { ANANTA_STATE_DIR: deployer.stateRoot }));
  old.kill('SIGTERM');
  const run = await deploying.done;
  const result = resultOf(run);
  assert.equal(result.outcome, 'succeeded', failuresOf(run));
  assert.equal(result.services.length, sandbox.catalog.services.length);
  assert.equal((await sandbox.look(['deploy', '--json'])).code, 0, 'all of it is in the cluster');
  assert.equal(await password(), before, 'the password is never changed');
  const hosts = (
    await kubectl(['get', 'ingresses', '--all-namespaces', '--output', 'jsonpath={.items[*].spec.tls[0].hosts[0]}'])
  ).split(' ');
  assert.equal(hosts.length, sandbox.catalog.services.filter(({ publicHost }) => publicHost !== undefined).length);
  assert.ok(
    hosts.some((host) => host.startsWith('auth.')),
    hosts.join(),
  );
  await whatTheyMayNot(sandbox, cluster, deployer);
  for (const worker of workers.splice(0)) {
    worker.kill('SIGTERM');
    await worker.done;
  }
  await repairedByDrift(sandbox, cluster, workers);
  for (const worker of workers.splice(0)) {
    worker.kill('SIGTERM');
    await worker.done;
  }
  workers.push(sandbox.start(['worker'], '', { ANANTA_STATE_DIR: deployer.stateRoot }));
  const gone = await sandbox.look(['destroy', '--delete-data', '--json', '--confirm', sandbox.name]);
  assert.equal(gone.code, 0, `${failuresOf(gone)}\n${gone.stderr}\n${gone.stdout.slice(-2000)}`);
  cluster.close();
}

/** Asked of the authorizer, and tried: what none of the identities may do. */
async function whatTheyMayNot(sandbox: Sandbox, admin: KubernetesClient, { kubeconfig }: Acting): Promise<void> {
  const rbac = 'rbac.authorization.k8s.io';
  const denied: [string, Parameters<KubernetesClient['mayAccount']>[1]][] = [
    ...[IN_CLUSTER.worker, 'ananta-deployer', 'ananta-drift', 'ananta-viewer'].flatMap((account): typeof denied => [
      [account, { verb: 'list', group: '', resource: 'secrets' }],
      [account, { verb: 'get', group: '', resource: 'secrets', namespace: 'kube-system' }],
      [account, { verb: 'create', group: '', resource: 'namespaces' }],
      [account, { verb: 'delete', group: '', resource: 'namespaces' }],
      [account, { verb: 'delete', group: '', resource: 'persistentvolumes' }],
      [account, { verb: 'impersonate', group: '', resource: 'users' }],
      [account, { verb: 'create', group: rbac, resource: 'clusterrolebindings' }],
      [account, { verb: 'escalate', group: rbac, resource: 'clusterroles' }],
      [account, { verb: 'create', group: '', resource: 'pods', namespace: 'kube-system' }],
    ]),
    ['ananta-drift', { verb: 'delete', group: '', resource: 'persistentvolumeclaims', namespace: 'data' }],
    ['ananta-drift', { verb: 'delete', group: 'apps', resource: 'deployments', namespace: 'apps' }],
    ['ananta-viewer', { verb: 'list', group: '', resource: 'secrets', namespace: 'apps' }],
    ['ananta-viewer', { verb: 'create', group: '', resource: 'pods', subresource: 'exec', namespace: 'apps' }],
  ];
  for (const [name, question] of denied)
    assert.equal(
      await admin.mayAccount({ namespace: IN_CLUSTER.namespace, name }, question),
      false,
      `${name} may ${JSON.stringify(question)}`,
    );
  assert.equal(
    await admin.mayAccount(
      { namespace: IN_CLUSTER.namespace, name: 'ananta-drift' },
      { verb: 'patch', group: 'apps', resource: 'deployments', namespace: 'apps' },
    ),
    true,
  );
  assert.equal(
    await admin.mayAccount(
      { namespace: IN_CLUSTER.namespace, name: 'ananta-viewer' },
      { verb: 'list', group: '', resource: 'pods', namespace: 'apps' },
    ),
    true,
  );

  const binding = (name: string, role: string): [string, unknown] => [
    `/apis/${rbac}/v1/clusterrolebindings/${name}`,
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', name: IN_CLUSTER.worker, namespace: IN_CLUSTER.namespace }],
    },
  ];
  const deployer = createKubernetesClient({ kubeconfig, inCluster: false });
  const refused = (what: string, work: Promise<unknown>): Promise<void> =>
    assert.rejects(work, (error) => error instanceof KubernetesError && error.status === 403, what);
  try {
    await refused('Secrets of kube-system', deployer.list('/api/v1/namespaces/kube-system/secrets'));
    await refused('all Secrets', deployer.list('/api/v1/secrets'));
    await refused('a binding of its own', deployer.apply(...binding('mine', 'view')));
    await refused(
      'its name, another role',
      deployer.apply(...binding('vault-token-reviewer', 'cluster-admin'), { force: true }),
    );
    await refused(
      'more rights for itself',
      deployer.apply(
        `/apis/${rbac}/v1/clusterroles/ananta-deployer`,
        {
          apiVersion: `${rbac}/v1`,
          kind: 'ClusterRole',
          metadata: { name: 'ananta-deployer' },
          rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
        },
        { force: true },
      ),
    );
    await refused(
      'a namespace',
      deployer.apply('/api/v1/namespaces/mine', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'mine' } }),
    );
    await refused('a namespace of others', deployer.remove('/api/v1/namespaces/kube-public'));
  } finally {
    deployer.close();
  }
  // A missing right is named before anything is touched, and granted by the command that the message names.
  await admin.remove(`/apis/${rbac}/v1/namespaces/apps/rolebindings/ananta-deployer`);
  const without = await sandbox.look(['deploy']);
  assert.equal(without.code, 3, without.stdout + without.stderr);
  assert.match(
    without.stderr,
    /deployer-worker\) may not do what a deployment has to do:[^]*list secrets in apps[^]*rbac apply --env rehearsal/,
  );
  const given = await sandbox.look(['rbac', 'apply', '--json']);
  assert.deepEqual(
    [given.code, (JSON.parse(given.stdout) as { changed: string[] }).changed],
    [0, ['RoleBinding apps/ananta-deployer']],
    given.stderr,
  );
  const repeated = await sandbox.look(['rbac', 'apply', '--json']);
  assert.deepEqual(
    [repeated.code, (JSON.parse(repeated.stdout) as { changed: string[] }).changed],
    [0, []],
    repeated.stderr,
  );
}

/**
 * A worker with the rights of drift repair alone takes back what somebody has changed; a deployment by it could not be.
 */
async function repairedByDrift(
  sandbox: Sandbox,
  admin: KubernetesClient,
  workers: { kill: (signal: NodeJS.Signals) => void; done: Promise<unknown> }[],
): Promise<void> {
  const { stateRoot, kubeconfig } = await actingAs('ananta-drift', sandbox, admin);
  workers.push(sandbox.start(['worker'], '', { ANANTA_STATE_DIR: stateRoot }));
  const kubectl = await kubectlFor(sandbox);
  await kubectl([
    'patch',
    'deployment/web',
    '--namespace',
    'apps',
    '--type=merge',
    '--field-manager=night-shift',
    '-p',
    '{"spec":{"replicas":3}}',
  ]);
  await kubectl([
    'patch',
    'ingress/web',
    '--namespace',
    'apps',
    '--type=merge',
    '--field-manager=night-shift',
    '-p',
    '{"spec":{"tls":null}}',
  ]);
  const run = await sandbox.look(['drift', 'run', '--repair', '--json']);
  assert.equal(run.code, 0, run.stdout + run.stderr);
  assert.equal(
    await kubectl(['get', 'deployment/web', '--namespace', 'apps', '--output', 'jsonpath={.spec.replicas}']),
    '1',
  );
  assert.equal(
    await kubectl(['get', 'ingress/web', '--namespace', 'apps', '--output', 'jsonpath={.spec.tls[0].secretName}']),
    'web-tls',
  );
  const drift = createKubernetesClient({ kubeconfig, inCluster: false });
  try {
    await assert.rejects(drift.remove('/api/v1/namespaces/data/persistentvolumeclaims/data-database-0'), /403/);
  } finally {
    drift.close();
  }
}

async function refusals(sandbox: Sandbox): Promise<void> {
  await sandbox.configure({ engine: { inCluster: { historyShards: 256 } } });
  const shards = await sandbox.look(['install']);
  assert.equal(shards.code, 3);
  assert.match(shards.stderr, /128 history shards, which cannot be changed/);

  await sandbox.configure({ vault: { keys: { store: 'file' } } });
  const keys = await sandbox.look(['install']);
  assert.equal(keys.code, 3);
  assert.match(keys.stderr, /keys that open Vault/);

  await sandbox.configure({});
  const kubectl = await kubectlFor(sandbox);
  await kubectl(['delete', 'secret', IN_CLUSTER.databaseSecret, '--namespace', IN_CLUSTER.namespace]);
  const lost = await sandbox.look(['install']);
  assert.equal(lost.code, 3);
  assert.match(lost.stderr, /has its volume[^]*Another password would lock the engine out/);
}

/** The engine has heard from a worker. */
async function workerHeard(sandbox: Sandbox): Promise<void> {
  for (let look = 0; look < 30; look += 1) {
    const worker = (await sandbox.components()).find(({ name }) => name === 'worker');
    if (worker?.healthy === true) return;
  }
  throw new Error('no worker has asked for work');
}
