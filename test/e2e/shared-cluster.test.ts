/**
 * A cluster that the platform shares with others, on a real API server with the real Helm, Vault and Temporal: people
 * who use Helm and kubectl by hand, quotas and webhooks, rights that are taken away, groups that do not answer. One
 * sandbox with the small platform, each test leaving it whole; the last takes it down.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { clearFailure, failRelease } from '../../bootstrap/cluster/index.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { type Clients, createClients } from '../../src/clients/index.ts';
import { closeTemporal, connectTemporal } from '../../src/clients/temporal/index.ts';
import { readKv } from '../../src/clients/vault/index.ts';
import { readConfig } from '../../src/config.ts';
import { driftScheduleId, ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import { resolveConnections } from '../../src/environment/connections.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { warningsOf } from '../../src/plan/health/index.ts';
import { type Bystander, plantBystander } from '../support/sandbox/bystander.ts';
import { factsOf } from '../support/sandbox/cluster-facts.ts';
import { elsewhere, LOGIN_VARIABLE } from '../support/elsewhere.ts';
import { askForWork } from '../support/workers/pollers.ts';
import { type Kubectl, kubectlOn, listOf } from '../support/sandbox/kubectl.ts';
import { deployedSandbox } from '../support/sandbox/snapshot.ts';
import { type CliRun, failuresOf, resultOf, type ResultLine, type Sandbox } from '../support/sandbox/sandbox.ts';

/** Registered and never due: a test starts its runs. */
const DRIFT = { mode: 'repair', everySeconds: 43_200 };
const NAMED_WITHIN_MILLISECONDS = 10_000;
/** A controller writes to it. */
const TOUCHED = '/api/v1/namespaces/apps/services/api';

describe('a shared cluster', { concurrency: 1 }, () => {
  let sandbox: Sandbox;
  let clients: Clients;
  let kubectl: Kubectl;
  let plainHelm: (...args: string[]) => ReturnType<typeof execa>;
  const helm = async (...args: string[]): Promise<string> => String((await plainHelm(...args)).stdout);
  let bystander: Bystander;

  const deploy = (...args: string[]): Promise<CliRun> => sandbox.look(['deploy', '--json', ...args]);
  const succeeded = (run: CliRun): ResultLine => {
    const result = resultOf(run);
    assert.equal(result.outcome, 'succeeded', failuresOf(run));
    return result;
  };
  const changed = ({ services }: ResultLine): string[] =>
    services.filter((service) => service.changed).map(({ name }) => name);
  const get = (path: string, ...what: string[]): Promise<string> =>
    kubectl(['get', ...what, '--output', `jsonpath={${path}}`]);
  const web = (path: string): Promise<string> => get(path, 'deployment', 'web', '--namespace', 'apps');
  const jobs = async (): Promise<string[]> => (await kubectl(['get', 'jobs', '-n', 'data', '-o', 'name'])).split('\n');
  /** How to take away what a test has planted, should it fail before it has done so itself. */
  const planted: (() => Promise<unknown>)[] = [];
  // The next test fails for reasons of its own only: it finds the lock free and the platform whole.
  afterEach(async (context) => {
    const takeAway = planted.splice(0);
    if ((context as unknown as { passed: boolean }).passed) return;
    for (const step of [...takeAway, () => sandbox.look(['cancel']), () => deploy()])
      await step().catch((error: unknown) => {
        console.error(error);
      });
  });
  const healed = (name: string) => (): Promise<unknown> => sandbox.simulate((api) => clearFailure(api, name));
  const lockOf = async (): Promise<{ operation: string } | null> =>
    (JSON.parse((await sandbox.look(['status', '--json'])).stdout) as { lock: { operation: string } | null }).lock;
  /** They are found and not repaired: objects of others in our namespaces are reported as `extra`. */
  const drift = async (): Promise<string[]> => {
    const { code, stdout, stderr } = await sandbox.look(['drift', '--json']);
    assert.ok(code === 0 || code === 2, stderr);
    const { findings } = JSON.parse(stdout) as { findings: { kind: string; object: string }[] };
    return findings
      .filter(({ kind }) => kind !== 'extra')
      .map(({ kind, object }) => `${kind} ${object}`)
      .sort();
  };

  before(async () => {
    sandbox = await deployedSandbox();
    await sandbox.configure({ drift: DRIFT });
    const config = {
      ...readConfig(),
      stateRoot: join(sandbox.folder, 'state'),
      environmentsDir: join(sandbox.folder, 'environments'),
    };
    const environment = await loadEnvironment(sandbox.name, config);
    const connections = await resolveConnections(environment, config);
    clients = await createClients(environment, connections, config, { isRunAlive: () => Promise.resolve(false) });
    const { kubeconfig } = connections.kubernetes;
    kubectl = await kubectlOn(kubeconfig, sandbox.folder);
    const env = { HOME: join(sandbox.folder, 'plain-helm'), GOGC: 'off' };
    plainHelm = (...args) => execa(connections.helm ?? 'helm', ['--kubeconfig', kubeconfig, ...args], { env });
    // Vault comes up sealed from a copy of its state.
    await sandbox.deploy();
    bystander = await plantBystander(clients.kubernetes, {
      kubeconfig,
      folder: sandbox.folder,
      within: ['apps'],
      owned: true,
    });
    await bystander.touch(TOUCHED, { finalizer: false });
  });
  after(async () => {
    await clients?.close();
    await sandbox?.close();
  });

  test('a Job that has completed and was deleted does not run again, unless somebody asks for it', async () => {
    const schema = (names: string[]): string[] => names.filter((name) => name.includes('/schema-'));
    const before = schema(await jobs());
    assert.equal(before.length, 1);
    await kubectl(['delete', ...before, '--namespace', 'data']);
    assert.equal((await sandbox.look(['plan', '--json'])).code, 0);
    assert.equal(resultOf(await deploy()).outcome, 'unchanged');
    assert.deepEqual(await drift(), []);
    assert.deepEqual(schema(await jobs()), []);

    assert.deepEqual(changed(succeeded(await deploy('--rerun', 'schema'))), ['schema']);
    assert.deepEqual(schema(await jobs()), before);
    assert.deepEqual((await factsOf(clients.kubernetes)).jobs[`data/${before[0]?.split('/')[1] ?? ''}`]?.succeeded, 1);
  });

  test('over an upgrade by hand a rollback brings back what it says, and no version is lost by it', async () => {
    const versions = async (): Promise<number[]> =>
      (JSON.parse((await sandbox.look(['history', '--json'])).stdout) as { version: number }[]).map(
        ({ version }) => version,
      );
    const [before] = await versions();
    assert.deepEqual(changed(succeeded(await deploy('--image', 'web=2.0.0'))), ['web']);
    const [upgraded] = await versions();
    const chart = join(sandbox.checkout, 'helm', 'charts', 'service');
    await helm('upgrade', 'web', chart, '--namespace', 'apps', '--reuse-values', '--set', 'replicaCount=3', '--wait');
    assert.equal(await web('.spec.replicas'), '3');
    assert.deepEqual(await drift(), ['changed Release apps/web']);

    for (const [version, image] of [
      [before, /:1\.0\.0$/],
      [upgraded, /:2\.0\.0$/],
    ] as const) {
      succeeded(await sandbox.look(['rollback', '--json', '--to', String(version)]));
      assert.match(await web('.spec.template.spec.containers[0].image'), image);
      assert.equal(await web('.spec.replicas'), '1');
      assert.deepEqual(await drift(), []);
    }
    const by = JSON.parse(await helm('history', 'web', '--namespace', 'apps', '--output', 'json')) as {
      revision: number;
      description: string;
    }[];
    // Somebody else's revision is not removed.
    assert.deepEqual(
      by
        .filter(({ description }) => !description.startsWith('Applied by ananta-deploy'))
        .map(({ revision }) => revision),
      [3],
    );
    succeeded(await deploy());
  });

  test("somebody else's release under a name of ours is refused and named, by plan, deploy and rollback", async () => {
    const chart = join(sandbox.folder, 'somebody-elses');
    await mkdir(join(chart, 'templates'), { recursive: true });
    await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: somebody-elses\nversion: 0.3.0\n');
    await writeFile(
      join(chart, 'templates', 'claim.yaml'),
      'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: theirs}\n' +
        'spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n',
    );
    const givenBack = async (): Promise<void> => {
      await helm('uninstall', 'admin', '--namespace', 'apps', '--ignore-not-found');
      await kubectl(['delete', 'pvc', 'theirs', '--namespace', 'apps', '--ignore-not-found']);
    };
    planted.push(givenBack);
    await helm('uninstall', 'admin', '--namespace', 'apps');
    await helm('install', 'admin', chart, '--namespace', 'apps');
    const theirs = (): Promise<string[]> =>
      Promise.all([
        get('.metadata.uid', 'pvc', 'theirs', '--namespace', 'apps'),
        helm('history', 'admin', '--namespace', 'apps', '--output', 'json'),
      ]);
    const before = await theirs();
    for (const command of [['plan'], ['deploy'], ['deploy', '--only', 'admin'], ['rollback', '--to', '1']]) {
      const refused = await sandbox.look([...command, '--json']);
      assert.equal(refused.code, 3, `${command.join(' ')}: ${refused.stdout}${refused.stderr}`);
      const said = `${refused.stdout}${refused.stderr}`;
      assert.match(
        said,
        /admin in apps is not ours[^]*chart somebody-elses 0\.3\.0, revision 1 \(deployed\), written by/,
      );
      assert.match(said, /adopt admin --env/);
    }
    assert.deepEqual(await drift(), ['changed Release apps/admin']);
    assert.equal((await sandbox.look(['drift', 'run', '--repair', '--json'])).code, 2);
    assert.deepEqual(await theirs(), before);

    await givenBack();
    assert.deepEqual(changed(succeeded(await deploy())), ['admin']);
  });

  test('a record that nobody can read is named with the way out; an uninstall that was cut off is made good', async () => {
    const [uid, pod] = await Promise.all([
      get('.metadata.uid', 'deployment', 'worker', '--namespace', 'apps'),
      get('.items[0].metadata.uid', 'pods', '-l', 'app.kubernetes.io/instance=worker', '--namespace', 'apps'),
    ]);
    const records = ['--namespace', 'apps', '--selector', 'owner=helm,name=worker'];
    const newest = (await kubectl(['get', 'secrets', ...records, '--output', 'name'])).trim().split('\n').at(-1) ?? '';
    await kubectl(['patch', newest, '-n', 'apps', '--type=merge', '--patch', '{"data":{"release":"bm90aGluZw=="}}']);
    const removed = (): Promise<string> => kubectl(['delete', newest, '--namespace', 'apps', '--ignore-not-found']);
    planted.push(removed);
    for (const command of [['plan'], ['deploy'], ['deploy', '--image', 'worker=1.2.3']]) {
      const refused = await sandbox.look([...command, '--json']);
      assert.equal(refused.code, 3, `${refused.stdout}${refused.stderr}`);
      assert.match(
        `${refused.stdout}${refused.stderr}`,
        /record of revision \d+ of apps\/worker cannot be read[^]*kubectl --namespace apps delete secret sh\.helm\.release\.v1\.worker/,
      );
    }
    assert.deepEqual(await drift(), ['not-observable Release apps/worker']);
    await removed();
    planted.splice(0);

    // Helm has deleted some of it and waits for the rest; then it is killed.
    const service = ['service', 'admin', '--namespace', 'apps'];
    const held = (finalizers: string[] | null): Promise<string> =>
      kubectl(['patch', ...service, '--type=merge', '--patch', JSON.stringify({ metadata: { finalizers } })]);
    planted.push(() => held(null));
    await held(['example.com/hold']);
    const uninstalling = plainHelm('uninstall', 'admin', '--namespace', 'apps', '--wait');
    const ended = assert.rejects(uninstalling);
    await waitUntil('some of it is going', { timeoutMs: 30_000 }, async () =>
      (await get('.metadata.deletionTimestamp', ...service)) === '' ? undefined : true,
    );
    uninstalling.kill('SIGKILL');
    await ended;
    await held(null);
    const left = (await kubectl(['get', 'secrets', '-n', 'apps', '-l', 'owner=helm,name=admin', '-o', 'name'])).trim();
    await kubectl(['label', left, '-n', 'apps', '--overwrite', 'status=uninstalling', 'modifiedAt=1700000000']);

    assert.deepEqual(changed(succeeded(await deploy())).sort(), ['admin', 'worker']);
    assert.deepEqual(
      [
        await get('.metadata.uid', 'deployment', 'worker', '--namespace', 'apps'),
        await get('.items[0].metadata.uid', 'pods', '-l', 'app.kubernetes.io/instance=worker', '--namespace', 'apps'),
      ],
      [uid, pod],
    );
    assert.deepEqual(await drift(), []);
  });

  test('what keeps pods from being made is named within seconds, whichever controller meets it, and the run ends', async () => {
    await sandbox.configure({ drift: DRIFT, healthTimeoutFactor: 0.05 });
    const inTheWay = listOf([quota('data'), limits('apps'), webhooks(clients.kubernetes.server)]);
    const outOfTheWay = async (): Promise<void> => {
      await kubectl(['delete', '--ignore-not-found', '--filename', '-'], inTheWay);
      await sandbox.configure({ drift: DRIFT });
    };
    planted.push(outOfTheWay);
    await kubectl(['apply', '--filename', '-'], inTheWay);
    const running = sandbox.begin([
      ...['deploy', '--json', '--timeout', '30s', '--rerun', 'schema'],
      ...['storage', 'admin', 'operator'].flatMap((name) => ['--image', `${name}=9.9.9`]),
    ]);
    const named = async (release: string, pattern: RegExp): Promise<void> => {
      await running.line(({ type, name, state }) => type === 'service' && name === release && state === 'starting');
      const since = Date.now();
      await running.line(
        (line) => line.type === 'cause' && line['release'] === release && pattern.test(String(line['message'])),
      );
      assert.ok(Date.now() - since < NAMED_WITHIN_MILLISECONDS, `${release}: after ${Date.now() - since} ms`);
    };
    await Promise.all([
      named('storage', /^StatefulSet storage: FailedCreate \(pods "storage-0" is forbidden: exceeded quota: theirs/),
      named(
        'admin',
        /^ReplicaSet admin-\w+: FailedCreate \(pods .* is forbidden: maximum memory usage per Container is/,
      ),
      named(
        'schema',
        /^Job schema-\w+: FailedCreate .*webhook "wrong-authority\.example\.com": .*x509: certificate signed/,
      ),
      running.line(
        ({ type, message }) =>
          type === 'retry' && /webhook "away\.example\.com" cannot be called: .*refused/.test(String(message)),
      ),
    ]);
    const run = await running.done;
    assert.deepEqual([run.code, resultOf(run).outcome], [1, 'failed']);
    assert.equal(await lockOf(), null);
    await outOfTheWay();
    const next = changed(succeeded(await deploy()));
    assert.ok(
      ['admin', 'storage'].every((name) => next.includes(name)),
      next.join(),
    );
  });

  test('what Pod Security refuses is told from the events of StatefulSet, Job and ReplicaSet', async () => {
    const namespace = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'guarded', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    };
    const removed = (): Promise<string> =>
      kubectl(['delete', 'namespace', 'guarded', '--ignore-not-found', '--wait=false']);
    planted.push(removed);
    await kubectl(['apply', '--filename', '-'], listOf([namespace, ...refusedByPodSecurity('guarded')]));
    const objects = await kubectl(['get', 'deploy,sts,jobs', '-n', 'guarded', '-o', 'json']);
    const made = (JSON.parse(objects) as { items: { kind: string; metadata: { name: string; uid: string } }[] }).items;
    const warnings = await waitUntil('three warnings', { timeoutMs: 20_000 }, async () => {
      const { items } = await clients.kubernetes.list('/api/v1/namespaces/guarded/events');
      const found = warningsOf(items, {
        objects: made.map(({ kind, metadata: { name, uid } }) => ({ kind, name, uid })),
      });
      return found.length === 3 ? found : undefined;
    });
    for (const { about, message, refused } of warnings)
      assert.deepEqual(
        [/violates PodSecurity "restricted/.test(message), refused],
        [true, true],
        `${about}: ${message}`,
      );
    await removed();
  });

  test('a deployment of an image waits for a scheduled repair that holds the lock, and is then done', async () => {
    const client = await connectTemporal({
      address: clients.connections.engine.address,
      namespace: ENGINE_NAMESPACE,
    });
    try {
      planted.push(healed('web'));
      await kubectl(['set', 'image', 'deployment/web', '--namespace', 'apps', '*=somebody.example/web:0.0.1']);
      await sandbox.simulate((api) => failRelease(api, 'web', 'never-ready'));
      const schedule = driftScheduleId(sandbox.name, await clients.kubernetes.clusterUid());
      await client.schedule.getHandle(schedule).trigger();
      await waitUntil('the repair holds the lock', { timeoutMs: 60_000 }, async () =>
        (await lockOf())?.operation === 'repair' ? true : undefined,
      );
      const running = sandbox.begin(['deploy', '--json', '--image', 'worker=3.0.0']);
      await running.line(
        ({ type, message }) => type === 'notice' && /this deployment waits for its turn/.test(String(message)),
      );
      await healed('web')();
      assert.deepEqual(changed(succeeded(await running.done)), ['worker']);
      assert.match(await web('.spec.template.spec.containers[0].image'), /platform\/web:1\.0\.0$/);
    } finally {
      await closeTemporal(client);
    }
    succeeded(await deploy());
  });

  test('a number that somebody has put beside our values in Vault stays, and breaks nothing', async () => {
    const { api, keys } = clients.vault;
    const session = api.withToken(await api.generateRoot((await keys.read())?.keys ?? []));
    try {
      const ours = (await readKv(session, 'apps/api'))?.data ?? {};
      await session.write('secret/data/apps/api', { data: { ...ours, theirs: 5, more: { a: [1, 2] } } });
      assert.equal(resultOf(await deploy()).outcome, 'unchanged');
      assert.equal((await sandbox.cli(['secrets', 'set', 'apps/api', 'mail-api-key'], 'issued-by-them')).code, 0);
      assert.deepEqual(await drift(), []);
      const { data } = (await session.read('secret/data/apps/api')) as { data: { data: Record<string, unknown> } };
      assert.deepEqual(
        [data.data['theirs'], data.data['more'], data.data['mail-api-key']],
        [5, { a: [1, 2] }, 'issued-by-them'],
      );
      assert.equal(data.data['signing-key'], ours['signing-key']);
    } finally {
      await session.write('auth/token/revoke-self', {});
    }
  });

  test('a plug-in logs in for us and for Helm alike, or says what it lacks; a right that is taken away ends the wait', async () => {
    const granted = await sandbox.look(['rbac', 'apply', '--json']);
    assert.equal(granted.code, 0, granted.stderr);
    const there = await elsewhere(sandbox, 'ananta-deployer', clients.kubernetes, clients.connections.engine.address);
    // Nobody but the one elsewhere is to work.
    process.kill(await sandbox.pidOf('worker'), 'SIGKILL');
    for (const command of ['plan', 'deploy']) {
      const refused = await there.loggedOut([command]);
      assert.equal(refused.code, 3, `${command}: ${refused.stdout}${refused.stderr}`);
      assert.match(refused.stderr, new RegExp(`No log-in to the cluster: the plug-in .*${LOGIN_VARIABLE} is not set`));
    }
    const worker = there.start(['worker']);
    try {
      // Refused until the engine has heard from a worker.
      const engine = await connectTemporal({
        address: clients.connections.engine.address,
        namespace: ENGINE_NAMESPACE,
      });
      try {
        await askForWork(engine, sandbox.name, [worker.pid]);
      } finally {
        await closeTemporal(engine);
      }
      const done = await there.cli(['deploy', '--json', '--only', 'admin', '--image', 'admin=4.0.0']);
      assert.deepEqual(changed(succeeded(done)), ['admin']);

      await sandbox.simulate((api) => failRelease(api, 'admin', 'never-ready'));
      const running = there.start(['deploy', '--json', '--only', 'admin', '--image', 'admin=4.0.1']);
      await running.line(({ type, state }) => type === 'service' && state === 'starting');
      planted.push(() => sandbox.look(['rbac', 'apply']));
      await kubectl(['delete', 'rolebinding', 'ananta-deployer', '--namespace', 'apps']);
      const since = Date.now();
      const run = await running.done;
      assert.ok(Date.now() - since < 60_000, 'it was waited for');
      assert.equal(run.code, 1);
      assert.match(failuresOf(run), /"type":"Forbidden".*cannot list resource.*in the namespace \\"apps\\"/);
      assert.equal(await lockOf(), null);
      // The next command is refused before anything is begun, with the command that grants it again.
      const next = await there.cli(['deploy', '--only', 'admin']);
      assert.equal(next.code, 3);
      assert.match(next.stderr, /may not do what a deployment has to do:[^]*in apps[^]*rbac apply --env/);
    } finally {
      await healed('admin')();
      worker.kill('SIGTERM');
      await worker.done;
    }
    assert.equal((await sandbox.look(['rbac', 'apply'])).code, 0);
    succeeded(await deploy());
  });

  test('what others have on the cluster is as it was', () => bystander.assertUntouched());

  test('destroy keeps a namespace with an object that only another version serves, or while a group is silent', async () => {
    const definitions = [definition('news', 'v1'), definition('olds', 'v1beta1')];
    await kubectl(['apply', '--filename', '-'], listOf(definitions));
    await kubectl(['wait', '--for=condition=Established', 'crd/olds.shop.example', '--timeout=30s']);
    await waitUntil('the kind is served', { timeoutMs: 30_000 }, () =>
      kubectl(['apply', '--filename', '-'], JSON.stringify(old('operators'))).catch(() => undefined),
    );
    await kubectl(['apply', '--filename', '-'], JSON.stringify(silent));
    const destroy = (): Promise<CliRun> => sandbox.look(['destroy', '--json', '--confirm', sandbox.name]);
    const reasons = (run: CliRun): Record<string, string> =>
      Object.fromEntries(
        ((resultOf(run)['remains'] ?? []) as { kind: string; name: string; reason: string }[])
          .filter(({ kind }) => kind === 'Namespace')
          .map(({ name, reason }) => [name, reason]),
      );
    const first = await destroy();
    const kept = reasons(first);
    assert.match(kept['operators'] ?? '', /Old theirs/, JSON.stringify(kept));
    for (const name of ['operators', 'apps', 'data', 'vault-system'])
      assert.match(kept[name] ?? '', /silent\.example/, `${name}: ${JSON.stringify(kept)}`);

    await kubectl(['delete', 'apiservice', 'v1.silent.example']);
    const second = await destroy();
    const still = reasons(second);
    assert.match(still['operators'] ?? '', /not ours: Old theirs/, JSON.stringify(still));
    assert.doesNotMatch(JSON.stringify(still), /silent\.example/);
    assert.equal(await get('.metadata.name', 'olds.shop.example', 'theirs', '--namespace', 'operators'), 'theirs');
  });
});

const quota = (namespace: string): unknown => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'theirs', namespace },
  spec: { hard: { pods: '0' } },
});

const limits = (namespace: string): unknown => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'theirs', namespace },
  spec: { limits: [{ type: 'Container', max: { memory: '1Mi' } }] },
});

/** One whose server is away, for Deployments of the operator; one that nobody vouches for, for pods of schema's Job. */
function webhooks(server: string): unknown {
  const webhook = (name: string, url: string, instance: string, group: string, resource: string): unknown => ({
    name,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    timeoutSeconds: 5,
    clientConfig: { url },
    objectSelector: { matchLabels: { 'app.kubernetes.io/instance': instance } },
    rules: [{ apiGroups: [group], apiVersions: ['v1'], resources: [resource], operations: ['CREATE', 'UPDATE'] }],
  });
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'theirs' },
    webhooks: [
      webhook('away.example.com', 'https://127.0.0.1:1/', 'operator', 'apps', 'deployments'),
      // The API server has its certificate from the cluster's authority, which no system trusts.
      webhook('wrong-authority.example.com', server, 'schema', '', 'pods'),
    ],
  };
}

function refusedByPodSecurity(namespace: string): unknown[] {
  const template = {
    metadata: { labels: { app: 'privileged' } },
    spec: {
      restartPolicy: undefined as string | undefined,
      containers: [{ name: 'main', image: 'example.com/main', securityContext: { privileged: true } }],
    },
  };
  const metadata = { name: 'privileged', namespace };
  const selector = { matchLabels: { app: 'privileged' } };
  return [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { selector, template } },
    { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { serviceName: 'privileged', selector, template } },
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata,
      spec: { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
    },
  ];
}

/** A kind of a group whose preferred version is v1. */
const definition = (plural: string, version: string): unknown => {
  const kind = `${plural.charAt(0).toUpperCase()}${plural.slice(1, -1)}`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.shop.example` },
    spec: {
      group: 'shop.example',
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  };
};

const old = (namespace: string): unknown => ({
  apiVersion: 'shop.example/v1beta1',
  kind: 'Old',
  metadata: { name: 'theirs', namespace },
});

/** A group whose server is nowhere: the API server answers 503 for it. */
const silent = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1.silent.example' },
  spec: {
    group: 'silent.example',
    version: 'v1',
    groupPriorityMinimum: 100,
    versionPriority: 100,
    insecureSkipTLSVerify: true,
    service: { name: 'nowhere', namespace: 'default' },
  },
};
