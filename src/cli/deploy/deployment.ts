/** Stands up what is embedded, starts or finds the deployment, watches it. */
import { latestDeployment } from '../../clients/temporal/index.ts';
import { lockHolderOf } from '../../clients/temporal/lock.ts';
import type { DeployInput, Selection } from '../../contract/deploy.ts';
import { deployWorkflowId } from '../../contract/names.ts';
import { withClients } from '../shared/clients.ts';
import type { DeployOptions } from './options.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { workflowUrl } from '../shared/lines.ts';
import type { Connections } from '../../environment/connections.ts';
import { helmBinary } from '../shared/helm-binary.ts';
import { type ApprovedPlan, checkApprovedPlan } from '../plan/approved.ts';
import { describeContinuation } from '../render/operation-words.ts';
import { setupLine } from '../render/setup.ts';
import { selectionFlags, selectionOf } from '../shared/selection-options.ts';
import { accessBasis } from '../rbac/rendered.ts';
import { requireDeployerRights, requireWorkerRights } from '../rbac/preflight.ts';
import { afterAnother } from './after-another.ts';
import { bind } from './binding.ts';
import { confirmationOf } from './confirmed.ts';
import { checkCharts, requireCharts } from './charts.ts';
import { openEngine, requireSameContent } from './engine.ts';
import { ensureLocalStack, ensureLocalStackAgain } from './local-stack.ts';
import { launch, type Prerequisites, prerequisites } from './operation.ts';
import type { Prepared } from './preflight.ts';
import type { Session } from './session.ts';
import { checkVault } from './vault-checks.ts';
import { waitForLock } from './wait-for-lock.ts';
import { watchToEnd } from './watch.ts';

export async function deploy(
  session: Session,
  prepared: Prepared,
  options: DeployOptions,
  approved?: ApprovedPlan,
): Promise<ExitCode> {
  const { environment } = prepared;
  const { config } = session.context;
  const imageTags = approved?.imageTags ?? options.image ?? {};
  // First: what cannot be fetched is told before anything is started.
  await requireCharts(prepared, config, (text) => session.renderer.notice(text), session.interrupted);
  const connections = await ensureLocalStack(session);
  const ready = await prerequisites(session, connections);
  const confirmation = await confirmationOf(session, ready.cluster, { operation: 'deploy', confirm: options.confirm });
  await requireSameContent(ready.client, prepared);
  await checkRights(session, prepared, connections);
  await checkVault(session, connections);
  const helm = await helmBinary(connections, config, (event) =>
    session.renderer.setup(setupLine({ kind: 'tool', progress: event })),
  );
  await checkCharts(prepared, imageTags, helm, config);
  if (approved) await checkApprovedPlan(session, prepared, connections, approved, ready.clusterUid);
  const selection = approved ? approved.selection : selectionOf(options, prepared.catalog);
  const input: DeployInput = {
    environment: environment.name,
    imageTags,
    clusterUid: ready.clusterUid,
    requestedBy: config.requestedBy,
    ...(options.timeout === undefined ? {} : { timeoutSeconds: options.timeout }),
    ...(selection ? { selection } : {}),
    ...(approved ? { expectedDigest: approved.digest } : {}),
    ...(confirmation ? { confirmation } : {}),
    ...(options.overrideFreeze === undefined ? {} : { freezeOverride: options.overrideFreeze }),
  };
  await bind(session, ready);
  if (options.ifRunning === 'queue' || options.ifRunning === 'supersede')
    return waitForLock(session, ready, {
      input,
      supersede: options.ifRunning === 'supersede',
      detach: options.detach === true,
    });
  if (selection && !approved) await checkDependencies(session, prepared, ready, input, selection);
  return launch(session, ready, {
    operation: 'deploy',
    input,
    // Watching a deployment of another plan is not what was asked for.
    ifRunning: approved !== undefined && options.ifRunning === 'attach' ? 'refuse' : options.ifRunning,
    detach: options.detach === true,
    whenOther: (holder) => afterAnother(session, ready, input, holder, options.detach === true),
    ignored: [
      ...(Object.keys(options.image ?? {}).length > 0 ? ['--image'] : []),
      ...(options.timeout === undefined ? [] : ['--timeout']),
      ...(options.overrideFreeze === undefined ? [] : ['--override-freeze']),
      ...selectionFlags(options),
    ],
  });
}

/** @throws CliError (refused) */
async function checkRights(
  { context, environment, interrupted: signal }: Session,
  prepared: Prepared,
  connections: Connections,
): Promise<void> {
  const { name, engine, deployer } = environment;
  const namespaces = prepared.catalog.namespaces.map((namespace) => namespace.name);
  await withClients(context, environment, connections, ({ kubernetes }) =>
    'inCluster' in engine || deployer.image !== undefined
      ? requireWorkerRights(kubernetes, name, namespaces, signal)
      : requireDeployerRights(
          kubernetes,
          name,
          namespaces,
          async () =>
            accessBasis(prepared, await helmBinary(connections, context.config, () => undefined), context.config),
          signal,
        ),
  );
}

/**
 * What the selected services depend on is there: told before anything is started. While somebody holds the lock nobody
 * can know; the deployment itself checks it again.
 * @throws DependencyMissingError
 */
async function checkDependencies(
  { context, environment, interrupted }: Session,
  { inputs }: Prepared,
  { client, connections }: Prerequisites,
  input: DeployInput,
  selection: Selection,
): Promise<void> {
  if (await lockHolderOf(client, deployWorkflowId(input.environment, input.clusterUid))) return;
  const { planFor } = await import('../../effects/plan/deploy.ts');
  await withClients(context, environment, connections, (clients) =>
    planFor(clients, environment, input.imageTags, interrupted, { selection, inputs }),
  );
}

/** The newest deployment of an environment, from its beginning. */
export async function attach(session: Session): Promise<ExitCode> {
  const { environment, renderer } = session;
  const connections = await ensureLocalStackAgain(session);
  const client = await openEngine(environment, connections);
  const run = await latestDeployment(client, environment.name);
  if (!run)
    throw refused(
      `Nothing was ever deployed to "${environment.name}" by this engine.`,
      commandLine('deploy', '--env', environment.name),
    );
  const url = workflowUrl(connections.engine, run);
  renderer.started({
    workflowId: run.workflowId,
    runId: run.runId,
    attached: true,
    ...(url === undefined ? {} : { url }),
  });
  const holder = await lockHolderOf(client, run.workflowId);
  return watchToEnd(session, client, run, describeContinuation(holder?.operation ?? 'deploy', environment.name));
}
