/** `ananta install`: puts the deployer itself into the target cluster. */
import { stateDir } from '../../config.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { Clients } from '../../clients/index.ts';
import { createClients } from '../../clients/index.ts';
import { renderedManifest } from '../../clients/helm/index.ts';
import { IN_CLUSTER } from '../../contract/names.ts';
import { type Connections, resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { writtenValues } from '../../plan/deployer/releases.ts';
import type { InstallOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { requireOwnCluster } from '../deploy/binding.ts';
import type { FoundCluster } from '../deploy/cluster.ts';
import { requireName } from '../deploy/confirmed.ts';
import { hasEmbeddedParts } from '../deploy/embedded.ts';
import { ensureLocalStack } from '../deploy/local-stack.ts';
import { watchInterrupts } from '../deploy/interrupt.ts';
import { writeJsonError } from '../deploy/session.ts';
import type { ExitCode } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { helmBinary } from '../shared/components/helm-binary.ts';
import { createRenderer } from '../render/renderers.ts';
import { setupLine } from '../render/setup.ts';
import { printLines } from '../shared/terminal.ts';
import { wantedAction } from './release.ts';
import { notesForPods, type PreparedInstall, prepareInstall } from './prepare.ts';
import { type InstallReport, createInstallReport } from './report.ts';
import { installSteps, checkUpgrade } from './steps.ts';
import { requireRights } from './rights.ts';
import { keptWorkflows } from './workflows.ts';

export async function runInstall(context: CliContext, options: InstallOptions): Promise<ExitCode> {
  const { config, terminal } = context;
  const json = options.json === true;
  const interrupts = watchInterrupts();
  const { signal } = interrupts;
  try {
    const environment = await loadEnvironment(options.env, config);
    const prepared = await prepareInstall(environment, options, config);
    const confirm = (byCluster: boolean): Promise<void> =>
      requireName(
        {
          name: environment.name,
          byFile: environment.protected,
          byCluster,
          confirm: options.confirm,
          what: 'an installation',
        },
        terminal.interactive,
        signal,
      );
    if (!options.dryRun) await confirm(false);
    // Protection is a fact of the cluster: it asks where the file has not.
    const confirmed = async ({ record }: Pick<FoundCluster, 'record'>): Promise<void> => {
      if (!environment.protected) await confirm(record?.owner?.protected === true);
    };
    const connections = await connectionsOf(context, prepared, signal);
    const clients = await createClients(environment, connections, config, { isRunAlive: () => Promise.resolve(false) });
    try {
      const report = createInstallReport(options.dryRun ? { ...terminal, stdout: terminal.stderr } : terminal, json);
      for (const text of prepared.releases ? notesForPods(environment) : [])
        report({ step: 'note', state: 'note', text });
      if (options.dryRun) return await preview(context, clients, prepared, report, json, signal);
      const result = await installSteps(clients, { ...prepared, confirmed }, report, signal);
      printLines(
        terminal.stdout,
        json
          ? [JSON.stringify({ type: 'result', environment: environment.name, ...result })]
          : closingLines(prepared, result.changed),
      );
      return EXIT_CODES.done;
    } finally {
      await clients.close();
    }
  } catch (error) {
    writeJsonError({ context, json }, error, 'install', options.env);
    throw error;
  } finally {
    interrupts.dispose();
  }
}

/** An embedded cluster is started, one that is somebody's is taken as it is; Helm is there in both cases. */
async function connectionsOf(
  context: CliContext,
  { environment }: PreparedInstall,
  signal: AbortSignal,
): Promise<Connections> {
  const { config, terminal } = context;
  const renderer = createRenderer({ ...terminal, live: false, stdout: terminal.stderr }, environment.name, false);
  try {
    const connections = hasEmbeddedParts(environment)
      ? await ensureLocalStack({ context, environment, renderer, interrupted: signal })
      : await resolveConnections(environment, config);
    return {
      ...connections,
      helm: await helmBinary(connections, config, (progress) => renderer.setup(setupLine({ kind: 'tool', progress }))),
    };
  } finally {
    renderer.close();
  }
}

async function preview(
  { terminal, config }: CliContext,
  clients: Clients,
  prepared: PreparedInstall,
  report: InstallReport,
  json: boolean,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { environment } = prepared;
  await requireRights(clients.kubernetes, environment, signal);
  await requireOwnCluster(clients, signal);
  const releases =
    (await prepared.releases?.((await keptWorkflows(clients.kubernetes, config, environment, signal)).names)) ?? [];
  await checkUpgrade(clients, releases, signal);
  const actions = [];
  for (const release of releases) {
    const action = await wantedAction(clients, release, signal);
    actions.push({ release: release.name, action });
    report({
      step: release.name,
      state: action === 'unchanged' ? 'unchanged' : 'note',
      text: action === 'unchanged' ? 'as wanted' : `would be ${action === 'install' ? 'installed' : 'upgraded'}`,
    });
    if (action === 'unchanged' || json) continue;
    const home = `${stateDir(config, environment.name)}/helm`;
    terminal.stdout.write(
      await renderedManifest(clients.connections.helm ?? 'helm', home, config.childEnv, {
        release: release.name,
        namespace: release.namespace,
        chartPath: release.chartPath,
        values: writtenValues(release),
      }),
    );
  }
  if (json)
    printLines(terminal.stdout, [
      JSON.stringify({ type: 'result', environment: environment.name, dryRun: true, actions }),
    ]);
  return actions.some(({ action }) => action !== 'unchanged') ? EXIT_CODES.changes : EXIT_CODES.done;
}

function closingLines({ environment, releases }: PreparedInstall, changed: readonly string[]): string[] {
  const env = ['--env', environment.name];
  if (releases === undefined) {
    return [
      `The engine of "${environment.name}" answers; it is run by others, and no image of workers is named, so nothing was installed.`,
      `Next: npm run worker -- --env ${environment.name}   (where the cluster can be reached), or ${commandLine('install', ...env, '--image', 'NAME:TAG')}`,
    ];
  }
  return [
    `The deployer of "${environment.name}" runs in the cluster, namespace ${IN_CLUSTER.namespace}${changed.length === 0 ? '; nothing had to be changed' : ''}.`,
    `Next: ${commandLine('deploy', ...env)}`,
    ...('inCluster' in environment.engine ? [`Next: ${commandLine('ui', ...env)}   (the engine's web interface)`] : []),
  ];
}
