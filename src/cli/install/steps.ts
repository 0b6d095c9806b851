/** The installation in order: what may stop it first, then each part after those that it needs. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { newestRevision } from '../../effects/release/revisions.ts';
import type { Clients } from '../../clients/index.ts';
import { readStoredRelease } from '../../clients/helm/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import { closeTemporal, pollersOf } from '../../clients/temporal/index.ts';
import { reconcileEndpoints } from '../../clients/temporal/nexus.ts';
import { ensureEngine } from '../../clients/temporal/connection/setup.ts';
import type { RunRef } from '../../contract/operations/deploy.ts';
import { createCommand, wantedEndpoint } from '../../contract/nexus/endpoint.ts';
import { IN_CLUSTER, MANAGED_BY, MANAGED_BY_LABEL, RELEASE_LABELS, taskQueueOf } from '../../contract/names.ts';
import type { Tree } from '../../environment/files/merge.ts';
import { IDENTITIES, identityOf } from '../../plan/access/identities.ts';
import { accessObjects } from '../../plan/access/manifests.ts';
import { upgradeProblem, versionsOf } from '../../plan/deployer/image.ts';
import { platformInputs } from '../../plan/inputs/platform-inputs.ts';
import type { DeployerRelease } from '../../plan/deployer/releases.ts';
import { claim, requireBound, requireOwned } from '../deploy/binding.ts';
import { type FoundCluster, found } from '../deploy/cluster.ts';
import { openEngine, requireSearchAttributes } from '../deploy/engine.ts';
import { refused } from '../shared/failure.ts';
import { accessBasis } from '../rbac/rendered.ts';
import { applyObjects } from '../rbac/run.ts';
import { count } from '../shared/format.ts';
import { installRelease } from './release.ts';
import type { PreparedInstall } from './prepare.ts';
import type { InstallReport } from './report.ts';
import { requireRights } from './rights.ts';
import { bindRole, workerRightsProblem } from './role.ts';
import { applyEngineAccess, ensureDatabasePassword } from './secrets.ts';
import { keepWorkflows, keptWorkflows } from './workflows.ts';

export interface InstallResult {
  engine: { address: string; namespace: string };
  /** What was made or changed, by name; empty when everything was as wanted. */
  changed: string[];
}

/**
 * @param confirmed asks who started it, where the cluster says that it is protected
 * @throws CliError: refused as long as nothing was touched, failed afterwards
 */
export async function installSteps(
  clients: Clients,
  {
    environment,
    releases: make,
    engineAccess,
    confirmed,
  }: PreparedInstall & { confirmed: (cluster: FoundCluster) => Promise<void> },
  report: InstallReport,
  signal: AbortSignal,
): Promise<InstallResult> {
  const { kubernetes, connections } = clients;
  const changed: string[] = [];
  if (make) await requireRights(kubernetes, environment, signal);
  const cluster = await found(kubernetes, signal);
  const clusterUid = cluster.uid;
  const workflows = make && (await keptWorkflows(kubernetes, clients.config, environment, signal));
  const releases = make && workflows ? await make(workflows.names) : [];
  if (workflows) {
    await checkOwner(clients, releases, signal);
    requireOwned(environment, cluster, false);
    await checkUpgrade(clients, releases, signal);
    report({
      step: 'cluster',
      state: 'checked',
      text: `${kubernetes.server}, kube-system uid ${clusterUid}: reachable, and you may do this`,
    });
  }
  await confirmed(cluster);
  if ('address' in environment.engine) await checkEngine(clients, cluster, report);
  if (!workflows) return { engine: engineOf(clients), changed };

  const boundBy = clients.config.requestedBy;
  await claim(kubernetes, environment, cluster, { boundBy, bound: false }, signal);
  if (await ensureNamespace(clients, signal)) changed.push('namespace');
  report({ step: 'namespace', state: changed.length > 0 ? 'made' : 'unchanged', text: IN_CLUSTER.namespace });
  if ('inCluster' in environment.engine) {
    const made = await ensureDatabasePassword(kubernetes, signal);
    if (made) changed.push('password');
    report({
      step: 'password',
      state: made ? 'made' : 'unchanged',
      text: made ? "of the engine's database, generated" : "of the engine's database, kept",
    });
  }
  await keepWorkflows(kubernetes, workflows, signal);
  report({
    step: 'workflow code',
    state: workflows.missing ? 'made' : 'unchanged',
    text: `version ${workflows.build.buildId} is kept for what it begins`,
  });
  if (workflows.missing) changed.push('workflow code');
  if (Object.keys(engineAccess).length > 0) await applyEngineAccess(kubernetes, engineAccess, signal);

  const run: RunRef = {
    environment: environment.name,
    imageTags: {},
    clusterUid,
    workflowId: 'install',
    runId: `install-${randomUUID()}`,
  };
  for (const release of releases) {
    if ((await installRelease(clients, run, release, report, signal)) !== 'unchanged') changed.push(release.name);
    if (release.name !== IN_CLUSTER.engine || !('inCluster' in environment.engine)) continue;
    const began = performance.now();
    const { made } = await ensureEngine(connections.engine, {
      retentionDays: environment.engine.inCluster.retentionDays,
      ours: true,
    });
    changed.push(...made);
    report({
      step: 'engine namespace',
      state: made.length > 0 ? 'made' : 'unchanged',
      text: `${connections.engine.namespace}${made.length > 0 ? `: ${made.join(', ')}` : ''}`,
      seconds: (performance.now() - began) / 1000,
    });
  }
  if (await giveRights(clients, signal)) changed.push('role');
  const problem = await workerRightsProblem(kubernetes, clients.catalog, signal);
  report({
    step: 'role',
    state: problem === undefined ? 'checked' : 'note',
    text: problem ?? 'the workers may deploy',
  });
  await reportWorkers(clients, report);
  return { engine: engineOf(clients), changed };
}

/**
 * What workers may do: a role that the environment names, else what the catalog and the charts need. @returns whether
 * something was changed
 */
async function giveRights(
  { kubernetes, environment, catalog, connections, config }: Clients,
  signal: AbortSignal,
): Promise<boolean> {
  if (environment.deployer.clusterRole !== undefined) return bindRole(kubernetes, environment, signal);
  const basis = await accessBasis(
    { environment, catalog, inputs: platformInputs(catalog, environment, config) },
    connections.helm ?? 'helm',
    config,
  );
  return (
    (
      await applyObjects(
        kubernetes,
        catalog,
        IDENTITIES.flatMap((name) => accessObjects(identityOf(name, basis))),
        signal,
      )
    ).length > 0
  );
}

function engineOf({
  connections: {
    engine: { address, namespace },
  },
}: Clients): InstallResult['engine'] {
  return { address, namespace };
}

/** A cluster has one platform and one deployer. @throws CliError (refused) where another environment's is there */
async function checkOwner(
  { kubernetes, environment }: Clients,
  releases: readonly DeployerRelease[],
  signal: AbortSignal,
): Promise<void> {
  const found = await Promise.all(
    releases.map(({ name, namespace }) => newestRevision(kubernetes, namespace, name, signal)),
  );
  const owner = found
    .map((revision) => revision?.labels[RELEASE_LABELS.environment])
    .find((name) => name !== undefined && name !== environment.name);
  if (owner === undefined) return;
  throw refused(
    `The deployer in this cluster (${kubernetes.server}, namespace ${IN_CLUSTER.namespace}) is that of environment "${owner}", not of "${environment.name}".`,
    `Check cluster.context in environments/${environment.name}.yaml: it may point to the wrong cluster.`,
  );
}

/** @throws CliError (refused) for a step that would lose the engine's data or leave it unusable */
export async function checkUpgrade(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  releases: readonly DeployerRelease[],
  signal: AbortSignal,
): Promise<void> {
  const wantedValues = (name: string): Tree | undefined => releases.find((release) => release.name === name)?.values;
  const [engine, database] = [wantedValues(IN_CLUSTER.engine), wantedValues(IN_CLUSTER.database)];
  const wanted = engine && database && versionsOf(engine, database);
  if (!wanted) return;
  const [engineNow, databaseNow] = await Promise.all(
    [IN_CLUSTER.engine, IN_CLUSTER.database].map((name) => installedValues(kubernetes, name, signal)),
  );
  const problem = upgradeProblem(engineNow && databaseNow && versionsOf(engineNow, databaseNow), wanted);
  if (problem !== undefined) throw refused(`The engine cannot be upgraded so: ${problem}.`);
}

async function installedValues(
  kubernetes: Clients['kubernetes'],
  name: string,
  signal: AbortSignal,
): Promise<Tree | undefined> {
  const revision = await newestRevision(kubernetes, IN_CLUSTER.namespace, name, signal);
  return (
    revision && (await readStoredRelease(kubernetes, IN_CLUSTER.namespace, name, revision.revision, signal))?.config
  );
}

/**
 * @throws CliError (refused) when the engine that others run does not answer, lacks what deployments need, or knows the
 * environment in another cluster
 */
async function checkEngine(
  { environment, connections }: Clients,
  cluster: FoundCluster,
  report: InstallReport,
): Promise<void> {
  const client = await openEngine(environment, connections);
  try {
    await requireBound(client, environment, cluster);
    await requireSearchAttributes(client, environment, connections, (text) => {
      report({ step: 'engine', state: 'made', text });
    });
    report({
      step: 'engine',
      state: 'checked',
      text: `${connections.engine.address}, namespace ${connections.engine.namespace}: answers`,
    });
    await reportEndpoint(client, { environment, connections }, report);
  } finally {
    await closeTemporal(client);
  }
}

/** Where the file wants a Nexus endpoint, whoever installs may be allowed to make it, and workers not. */
async function reportEndpoint(
  client: Client,
  { environment, connections }: Pick<Clients, 'environment' | 'connections'>,
  report: InstallReport,
): Promise<void> {
  const { name, nexus } = environment;
  if (nexus === undefined) return;
  const wanted = wantedEndpoint(name, connections.engine.namespace, nexus.endpoint);
  const { outcome } = await reconcileEndpoints(client, wanted, true);
  const texts = {
    created: wanted.name,
    unchanged: wanted.name,
    foreign: `${wanted.name} is somebody else's: name another one (nexus.endpoint)`,
    forbidden: `an operator of the engine has to make it: ${createCommand(wanted)}`,
  };
  const states = { created: 'made', unchanged: 'unchanged', foreign: 'note', forbidden: 'note' } as const;
  if (outcome !== undefined) report({ step: 'Nexus endpoint', state: states[outcome], text: texts[outcome] });
}

/** Restricted pods only; labels of ours that somebody has changed are set again. @returns whether it was made now */
async function ensureNamespace({ kubernetes }: Clients, signal: AbortSignal): Promise<boolean> {
  const { namespace: name } = IN_CLUSTER;
  const there = (await kubernetes.get(paths.namespace(name), signal)) !== undefined;
  await kubernetes.apply(
    paths.namespace(name),
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        annotations: { 'ananta.dev/purpose': 'The deployer itself: its engine and its workers' },
        labels: {
          [MANAGED_BY_LABEL]: MANAGED_BY,
          'pod-security.kubernetes.io/enforce': 'restricted',
          'pod-security.kubernetes.io/warn': 'restricted',
        },
      },
    },
    {},
    signal,
  );
  return !there;
}

/** A pod is ready once the engine lists its worker; this reports how many workers there are in all. */
async function reportWorkers({ environment, connections }: Clients, report: InstallReport): Promise<void> {
  const client = await openEngine(environment, connections);
  try {
    const workers = await pollersOf(client, taskQueueOf(environment.name));
    report({
      step: 'workers',
      state: workers > 0 ? 'checked' : 'note',
      text:
        workers > 0 ? `${count(workers, 'worker asks', 'workers ask')} for work` : 'no worker has asked for work yet',
    });
  } finally {
    await closeTemporal(client);
  }
}
