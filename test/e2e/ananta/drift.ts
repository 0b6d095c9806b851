/**
 * Drift of the Ananta Platform's objects and releases, then of its Vault: planted with plain clients, found exactly,
 * repaired, and nothing else touched.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { clearFailure, failRelease } from '../../../bootstrap/cluster/index.ts';
import { surveyDrift } from '../../../src/effects/drift/find-drift.ts';
import { createActivities } from '../../../src/activities/index.ts';
import { type Clients, createClients } from '../../../src/clients/index.ts';
import { readConfig } from '../../../src/config.ts';
import type { RunRef } from '../../../src/contract/operations/deploy.ts';
import type { DriftFinding, DriftReport } from '../../../src/contract/drift.ts';
import { resolveConnections } from '../../../src/environment/connections.ts';
import { loadEnvironment } from '../../../src/environment/load.ts';
import { allReleases } from '../../../src/plan/releases.ts';
import { type Bystander, plantBystander } from '../../support/sandbox/bystander.ts';
import { type Facts, factsOf } from '../../support/sandbox/cluster-facts.ts';
import { type Kubectl, kubectlOn } from '../../support/sandbox/kubectl.ts';
import type { Sandbox } from '../../support/sandbox/sandbox.ts';
import { testScope } from '../../support/scope.ts';
import { vaultDrift } from './drift-vault.ts';

interface Planted {
  /** `kind object field`, as it has to be found. */
  found: string;
  /** Field manager; absent where what is gone has no writer. */
  by?: string;
  /** The API server records no time for it. */
  timeless?: boolean;
  plant: () => Promise<unknown>;
  /** Only reported: a person undoes it. */
  undo?: () => Promise<unknown>;
}

/** @param deployed all services of the Ananta Platform, as their deployment left them; afterwards they are so again */
export function driftTests(deployed: () => Sandbox): void {
  let sandbox: Sandbox;
  let clients: Clients;
  let kubectl: Kubectl;
  let run: RunRef;
  let untouched: Facts;
  let bystander: Bystander;
  let report: DriftReport;
  let planted: Planted[];
  let plantedAt: number;

  /** The whole survey; what belongs to Vault is another test's. */
  const survey = async (): Promise<DriftReport> => {
    const { report } = await surveyDrift(clients, { signal: AbortSignal.timeout(60_000) });
    return {
      ...report,
      findings: report.findings.filter(({ area }) => ['kubernetes', 'helm', 'job', 'namespace'].includes(area)),
    };
  };
  const linesOf = (findings: readonly DriftFinding[]): string[] =>
    findings.map(({ kind, object, field }) => [kind, object, ...(field === undefined ? [] : [field])].join(' ')).sort();

  before(async () => {
    sandbox = deployed();
    const config = {
      ...readConfig(),
      stateRoot: join(sandbox.folder, 'state'),
      environmentsDir: join(sandbox.folder, 'environments'),
    };
    const environment = await loadEnvironment(sandbox.name, config);
    const connections = await resolveConnections(environment, config);
    clients = await createClients(environment, connections, config, { isRunAlive: () => Promise.resolve(false) });
    kubectl = await kubectlOn(connections.kubernetes.kubeconfig, sandbox.folder);
    const clusterUid = await clients.kubernetes.clusterUid();
    run = {
      environment: sandbox.name,
      imageTags: {},
      clusterUid,
      workflowId: `deploy/${sandbox.name}/${clusterUid.slice(0, 8)}`,
      runId: 'repair-1',
    };
    bystander = await plantBystander(clients.kubernetes, {
      kubeconfig: connections.kubernetes.kubeconfig,
      folder: sandbox.folder,
    });
    planted = whatToPlant({
      kubectl,
      helm: helmOn(connections.helm ?? 'helm', connections.kubernetes.kubeconfig, sandbox.folder),
      fail: () => sandbox.simulate((api) => failRelease(api, 'django-backend', 'crash-loop')),
      heal: () => sandbox.simulate((api) => clearFailure(api, 'django-backend')),
      charts: join(config.repoRoot, 'helm', 'charts'),
    });
  });
  after(() => clients?.close());

  test('an untouched platform has no findings', async () => {
    untouched = await factsOf(clients.kubernetes);
    const clean = await survey();
    assert.deepEqual(linesOf(clean.findings), []);
    assert.ok(clean.checked.objects > 280, String(clean.checked.objects));
    assert.equal(clean.checked.releases, allReleases(clients.catalog).filter(({ kind }) => kind === 'release').length);
    console.log(
      `drift survey of a clean platform: ${clean.seconds} s, ${clean.checked.objects} objects, ${clean.checked.releases} releases`,
    );
  });

  test('each kind of drift is found, and nothing else', async () => {
    plantedAt = Date.now();
    for (const { plant } of planted) await plant();
    // A completed Job that somebody deletes is no drift: Helm's record shows that it has run.
    const jobs = await kubectl(['get', 'jobs', '--namespace', 'app-plane', '--output', 'name']);
    const completed = jobs.split('\n').find((name) => name.includes('/minio-init-'));
    assert.ok(completed, jobs);
    await kubectl(['delete', completed, '--namespace', 'app-plane']);
    await until(async () =>
      /CrashLoopBackOff/.test(
        await kubectl([
          'get',
          'pods',
          '--namespace',
          'app-plane',
          '--selector',
          'app.kubernetes.io/instance=django-backend',
          '--output',
          'json',
        ]),
      ),
    );
    report = await survey();
    assert.deepEqual(linesOf(report.findings), planted.map(({ found }) => found).sort());
  });

  test('each says who and when, as far as the API server knows', () => {
    for (const { found, by, timeless } of planted) {
      const finding = report.findings.find((candidate) => linesOf([candidate])[0] === found)!;
      assert.equal(finding.by, by, found);
      if (by !== undefined && !timeless)
        assert.ok(Math.abs(Date.parse(finding.at ?? '') - plantedAt) < 300_000, `${found} at ${finding.at}`);
    }
    const text = JSON.stringify(report.findings);
    assert.match(text, /"was":"1","is":"3"/);
    assert.doesNotMatch(text, /hunter2/);
  });

  test('the repair brings all of it back and touches no other release', async () => {
    const activities = createActivities(clients, () => testScope());
    await clients.kubernetes.watches.synced();
    const findings = report.findings.filter(({ repair }) => repair !== undefined);
    const plan = await activities.planRepair({ run, findings });
    await activities.ensureNamespaces(run);
    await activities.repairFindings({ run, findings });
    const drifted = plan.services.filter(({ action }) => action !== 'unchanged');
    for (const service of drifted) {
      for (const step of service.steps.filter(({ action }) => action !== 'unchanged')) {
        await activities.applyRelease({ run, service: service.name, step, priority: 1 });
        await activities.awaitHealthy({ run, service: service.name, step, timeoutSeconds: 240 });
        // A lost acknowledgement: the same once more is the same.
        if (step.name === 'jaeger')
          assert.equal((await activities.applyRelease({ run, service: service.name, step, priority: 1 })).revision, 2);
      }
    }
    for (const { undo } of planted) await undo?.();
    await until(
      async () => (await survey()).findings.length === 0,
      async () => linesOf((await survey()).findings).join('\n'),
    );

    const now = await factsOf(clients.kubernetes);
    const touched = new Set(
      drifted.flatMap(({ steps }) =>
        steps.filter(({ action }) => action !== 'unchanged').map(({ namespace, name }) => `${namespace}/${name}`),
      ),
    );
    assert.deepEqual(
      Object.fromEntries(Object.entries(now.releases).filter(([name]) => !touched.has(name))),
      Object.fromEntries(Object.entries(untouched.releases).filter(([name]) => !touched.has(name))),
    );
    for (const [name, { uid }] of Object.entries(untouched.jobs))
      assert.equal(now.jobs[name]?.uid, name.startsWith('app-plane/minio-init-') ? undefined : uid, name);
  });

  test('a deployment finds everything as wanted', async () => {
    assert.equal((await sandbox.deploy()).outcome, 'unchanged');
  });

  test('drift of Vault and of its Secrets is found, attributed, and repaired or reported; no value becomes another one', () =>
    vaultDrift(clients, kubectl, run));

  test('what others have on the cluster is as it was', () => bystander.assertUntouched());
}

async function until(
  holds: () => Promise<boolean>,
  otherwise: () => Promise<string> = () => Promise.resolve('it did not become so'),
): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await holds())) {
    if (Date.now() > deadline) assert.fail(await otherwise());
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
  }
}

type Helm = (args: string[]) => Promise<unknown>;

function helmOn(binary: string, kubeconfig: string, folder: string): Helm {
  const home = join(folder, 'somebodys-helm');
  return (args) =>
    promisify(execFile)(binary, [...args, '--kubeconfig', kubeconfig], {
      env: { HOME: home, HELM_CONFIG_HOME: home, HELM_CACHE_HOME: home, HELM_DATA_HOME: home },
    });
}

interface Tools {
  kubectl: Kubectl;
  helm: Helm;
  fail: () => Promise<void>;
  heal: () => Promise<void>;
  charts: string;
}

function whatToPlant({ kubectl, helm, fail, heal, charts }: Tools): Planted[] {
  const k = (command: string) => (): Promise<string> => kubectl(command.split(' '));
  const patch =
    (what: string, content: unknown, type = 'json') =>
    (): Promise<string> =>
      kubectl([
        'patch',
        ...what.split(' '),
        `--type=${type}`,
        '--field-manager=night-shift',
        '--patch',
        JSON.stringify(content),
      ]);
  const app = 'spec.template.spec.containers[name=app]';
  return [
    {
      found: 'changed Deployment monitoring-system/jaeger spec.replicas',
      by: 'kubectl',
      timeless: true,
      plant: k('scale deployment jaeger --namespace monitoring-system --replicas=3'),
    },
    {
      found: `changed Deployment control-plane/admin-app ${app}.image`,
      by: 'kubectl-set',
      plant: k('set image deployment/admin-app app=docker.io/example/app:hotfix --namespace control-plane'),
    },
    {
      found: `extra Deployment app-plane/cns-service ${app}.env[name=DB_PASSWORD_HOTFIX]`,
      by: 'kubectl-set',
      plant: k('set env deployment/cns-service DB_PASSWORD_HOTFIX=hunter2 --namespace app-plane --containers=app'),
    },
    {
      found: `changed Deployment app-plane/webhook-bridge ${app}.env[name=RABBITMQ_EXCHANGE].value`,
      by: 'kubectl-set',
      plant: k('set env deployment/webhook-bridge RABBITMQ_EXCHANGE=other --namespace app-plane --containers=app'),
    },
    {
      found: `missing Deployment app-plane/middleware-api ${app}.env[name=PORT]`,
      plant: k('set env deployment/middleware-api PORT- --namespace app-plane --containers=app'),
    },
    {
      found: `changed Deployment app-plane/dashboard ${app}.resources.limits.memory`,
      by: 'kubectl-set',
      plant: k('set resources deployment/dashboard --namespace app-plane --containers=app --limits=memory=3333Mi'),
    },
    {
      found: 'extra ConfigMap argocd/argocd-cm data[accounts.intruder]',
      by: 'night-shift',
      plant: patch('configmap argocd-cm --namespace argocd', { data: { 'accounts.intruder': 'apiKey' } }, 'merge'),
    },
    {
      found: 'changed ConfigMap argocd/argocd-rbac-cm data[policy.default]',
      by: 'night-shift',
      plant: patch(
        'configmap argocd-rbac-cm --namespace argocd',
        { data: { 'policy.default': 'role:admin' } },
        'merge',
      ),
    },
    {
      found: 'missing ConfigMap argocd/argocd-cmd-params-cm',
      plant: k('delete configmap argocd-cmd-params-cm --namespace argocd'),
    },
    {
      found: 'changed Service app-plane/supabase-studio spec.ports[port=3000,protocol=TCP].targetPort',
      by: 'night-shift',
      plant: patch('service supabase-studio --namespace app-plane', [
        { op: 'replace', path: '/spec/ports/0/targetPort', value: 4444 },
      ]),
    },
    { found: 'missing Service notifications/novu-web', plant: k('delete service novu-web --namespace notifications') },
    {
      found: 'missing Deployment app-plane/backstage-portal',
      plant: k('delete deployment backstage-portal --namespace app-plane'),
    },
    {
      found: 'extra StatefulSet notifications/novu-redis metadata.labels.owner',
      by: 'kubectl-label',
      plant: k('label statefulset novu-redis owner=somebody --namespace notifications'),
    },
    {
      found: 'extra StatefulSet notifications/novu-redis metadata.annotations[example.com/note]',
      by: 'kubectl-annotate',
      plant: k('annotate statefulset novu-redis example.com/note=x --namespace notifications'),
    },
    {
      found: 'missing NetworkPolicy app-plane/customer-portal',
      plant: k('delete networkpolicy customer-portal --namespace app-plane'),
    },
    {
      found: 'changed PodDisruptionBudget control-plane/tenant-management-service spec.maxUnavailable',
      by: 'night-shift',
      plant: patch(
        'poddisruptionbudget tenant-management-service --namespace control-plane',
        { spec: { maxUnavailable: 2 } },
        'merge',
      ),
    },
    {
      found: 'missing ServiceAccount app-plane/cns-dashboard',
      plant: k('delete serviceaccount cns-dashboard --namespace app-plane'),
    },
    {
      found: 'changed Role argocd/argocd-server rules',
      by: 'night-shift',
      plant: patch('role argocd-server --namespace argocd', [
        { op: 'add', path: '/rules/-', value: { apiGroups: [''], resources: ['pods/exec'], verbs: ['create'] } },
      ]),
    },
    {
      found: 'missing Namespace cache-system metadata.labels[pod-security.kubernetes.io/enforce]',
      plant: k('label namespace cache-system pod-security.kubernetes.io/enforce-'),
    },
    {
      found: 'changed Namespace notifications metadata.labels[pod-security.kubernetes.io/warn]',
      by: 'kubectl-label',
      plant: k('label namespace notifications pod-security.kubernetes.io/warn=privileged --overwrite'),
    },
    {
      found: 'changed ApplicationSet argocd/ananta-platform spec.goTemplate',
      by: 'night-shift',
      plant: patch('applicationset ananta-platform --namespace argocd', { spec: { goTemplate: false } }, 'merge'),
    },
    {
      found: 'missing AppProject argocd/ananta-platform',
      plant: k('delete appproject ananta-platform --namespace argocd'),
    },
    {
      found: 'missing CustomResourceDefinition scheduledbackups.postgresql.cnpg.io',
      plant: k('delete crd scheduledbackups.postgresql.cnpg.io'),
    },
    {
      found: 'missing Release app-plane/audit-logger',
      plant: k('delete secret sh.helm.release.v1.audit-logger.v1 --namespace app-plane'),
    },
    {
      found: 'changed Release app-plane/novu-consumer',
      by: 'Helm',
      plant: () =>
        helm(['upgrade', 'novu-consumer', join(charts, 'service'), '--namespace', 'app-plane', '--reuse-values']),
    },
    {
      found: 'extra Deployment app-plane/intruder',
      by: 'kubectl-create',
      plant: k('create deployment intruder --image=docker.io/example/x:1 --namespace app-plane'),
      undo: k('delete deployment intruder --namespace app-plane'),
    },
    {
      found: 'extra ConfigMap cache-system/notes',
      by: 'kubectl-create',
      plant: k('create configmap notes --from-literal=a=b --namespace cache-system'),
      undo: k('delete configmap notes --namespace cache-system'),
    },
    { found: 'unhealthy Deployment app-plane/django-backend', plant: fail, undo: heal },
  ];
}
