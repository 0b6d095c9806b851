/** `ananta doctor`. */
import { EXIT_CODES } from '../../contract/failures.ts';
import { NotRunningError, readRuntime, resolveConnections, type Runtime } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { realNodeOf } from '../../environment/real-node.ts';
import type { Environment } from '../../environment/schema.ts';
import { stateDir } from '../../config.ts';
import { type Component, componentLines, componentsOf } from '../shared/components/components.ts';
import type { CliContext } from '../shared/context.ts';
import { hasEmbeddedParts } from '../deploy/embedded.ts';
import type { ExitCode } from '../shared/failure.ts';
import { commandLine, table } from '../shared/format.ts';
import { exportLines, lookAroundLines } from '../shared/lines.ts';
import { printLines } from '../shared/terminal.ts';

export interface DoctorOptions {
  env: string;
  json?: true;
}

export async function runDoctor(context: CliContext, options: DoctorOptions): Promise<ExitCode> {
  const { config, terminal } = context;
  const environment = await loadEnvironment(options.env, config);
  const { externalComponents } = await import('../shared/components/external.ts');
  const components = (
    await Promise.all([componentsOf(environment, config), externalComponents(environment, config)])
  ).flat();
  const runtime = await readRuntime(config, environment.name);
  const tools = hasEmbeddedParts(environment) ? await toolRows(config) : [];
  const machine = realNodeOf(environment) === undefined ? [] : await machineRows(stateDir(config, environment.name));
  const cacheProblem = hasEmbeddedParts(environment) ? await cacheProblemOf(config) : undefined;
  const findings = { components, tools, machine, cacheProblem };
  if (options.json) printLines(terminal.stdout, [JSON.stringify({ environment: environment.name, ...findings })]);
  else printLines(terminal.stdout, await reportLines(context, environment, { ...findings, runtime }));
  return components.every(({ healthy }) => healthy) && machine.every(({ ok }) => ok) && cacheProblem === undefined
    ? EXIT_CODES.done
    : EXIT_CODES.failed;
}

interface Findings {
  components: Component[];
  tools: Awaited<ReturnType<typeof toolRows>>;
  runtime: Runtime | undefined;
  /** What a real node needs of this machine; empty where there is none. */
  machine: Awaited<ReturnType<typeof machineRows>>;
  /** Why tools cannot be kept, where that is so. */
  cacheProblem: string | undefined;
}

async function reportLines(
  { config, terminal: { style } }: CliContext,
  environment: Environment,
  { components, tools, runtime, machine, cacheProblem }: Findings,
): Promise<string[]> {
  const down = components.filter(({ healthy }) => !healthy);
  return [
    style('bold', `Components of ${environment.name}`),
    ...componentLines(components, style),
    ...(tools.length > 0 ? toolLines(tools, style) : []),
    ...(machine.length > 0 ? machineLines(machine, style) : []),
    '',
    style('bold', 'Folders'),
    ...table([
      ['  environment', `${config.environmentsDir}/${environment.name}.yaml`],
      ['  state', stateDir(config, environment.name)],
      ['  tools', config.cacheDir],
    ]),
    ...(cacheProblem === undefined ? [] : [style('bad', `  ✘ ${cacheProblem}`)]),
    ...(await addressLines(environment, config, runtime, style)),
    '',
    style('bold', 'Next:'),
    `  ${nextLine(environment, down, runtime)}`,
  ];
}

async function toolRows(
  config: CliContext['config'],
): Promise<{ name: string; version: string | null; path: string | null; source: string | null }[]> {
  const { findInstalledTools, TOOL_NAMES } = await import('../../../bootstrap/tools/index.ts');
  const found = await findInstalledTools(config.cacheDir, config.childEnv);
  return TOOL_NAMES.map((name) => {
    const tool = found.get(name);
    return { name, version: tool?.version ?? null, path: tool?.path ?? null, source: tool?.source ?? null };
  });
}

async function cacheProblemOf(config: CliContext['config']): Promise<string | undefined> {
  const { cacheFolderProblem } = await import('../../../bootstrap/tools/cache-folder.ts');
  return cacheFolderProblem(config);
}

async function machineRows(folder: string): Promise<{ name: string; ok: boolean; purpose: string; remedy: string }[]> {
  const { nodeRequirements } = await import('../../../bootstrap/index.ts');
  return nodeRequirements(folder);
}

function machineLines(
  machine: Awaited<ReturnType<typeof machineRows>>,
  style: CliContext['terminal']['style'],
): string[] {
  const rows = table(
    machine.map(({ name, ok, purpose, remedy }) => [`  ${ok ? '✔' : '✘'} ${name}`, purpose, ok ? '' : remedy]),
  );
  return [
    '',
    style('bold', 'This machine, for a real node'),
    ...rows.map((line, index) => style(machine[index]?.ok === true ? 'good' : 'bad', line)),
  ];
}

function toolLines(tools: Awaited<ReturnType<typeof toolRows>>, style: CliContext['terminal']['style']): string[] {
  const rows = table(
    tools.map(({ name, version, path }) => [
      `  ${path === null ? '✘' : '✔'} ${name}`,
      version ?? '-',
      path ?? 'missing: "up" gets it',
    ]),
  );
  return [
    '',
    style('bold', 'Tools'),
    ...rows.map((line, index) => style(tools[index]?.path === null ? 'bad' : 'good', line)),
  ];
}

async function addressLines(
  environment: Environment,
  config: CliContext['config'],
  runtime: Runtime | undefined,
  style: CliContext['terminal']['style'],
): Promise<string[]> {
  try {
    const connections = await resolveConnections(environment, config);
    return [
      '',
      style('bold', 'Addresses'),
      ...table([
        ['  engine', `${connections.engine.address}, namespace ${connections.engine.namespace}`],
        ...(connections.engine.uiAddress === undefined ? [] : [['  Temporal UI', connections.engine.uiAddress]]),
        ...(runtime?.cluster === undefined ? [] : [['  Kubernetes API', runtime.cluster.server]]),
        ...(runtime?.vault === undefined ? [] : [['  Vault', runtime.vault.address]]),
      ]),
      '',
      style('bold', 'For a shell'),
      ...exportLines(connections, runtime).map((line) => `  ${line}`),
      ...lookAroundLines(connections, runtime, environment.vault.tls).map(([line, shows]) => `  ${line}   # ${shows}`),
    ];
  } catch (error) {
    if (error instanceof NotRunningError) return ['', error.message];
    throw error;
  }
}

function nextLine(environment: Environment, down: readonly Component[], runtime: Runtime | undefined): string {
  const env = ['--env', environment.name];
  if (down.length === 0) return commandLine('deploy', ...env);
  if (!hasEmbeddedParts(environment)) {
    return down.some(({ name }) => name === 'worker')
      ? `npm run worker -- --env ${environment.name}   (where the cluster can be reached)`
      : `Correct what the lines marked ✘ say, in environments/${environment.name}.yaml or where they point to.`;
  }
  return `${commandLine('up', ...env)}   (${runtime === undefined ? 'starts everything' : 'starts what is down'})`;
}
