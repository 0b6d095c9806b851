/** `ananta doctor`. */
import { EXIT_CODES } from '../contract/failures.ts';
import { NotRunningError, readRuntime, resolveConnections, type Runtime } from '../environment/connections.ts';
import { loadEnvironment } from '../environment/load.ts';
import type { Environment } from '../environment/schema.ts';
import { stateDir } from '../config.ts';
import type { DoctorOptions } from './commands/doctor.ts';
import { type Component, componentLines, componentsOf } from './components.ts';
import type { CliContext } from './context.ts';
import { hasEmbeddedParts } from './deploy/embedded.ts';
import type { ExitCode } from './failure.ts';
import { commandLine, table } from './format.ts';
import { exportLines, lookAroundLines } from './lines.ts';
import { printLines } from './terminal.ts';

export async function runDoctor(context: CliContext, options: DoctorOptions): Promise<ExitCode> {
  const { config, terminal } = context;
  const environment = await loadEnvironment(options.env, config);
  const { externalComponents } = await import('./external.ts');
  const components = (await Promise.all([componentsOf(environment, config), externalComponents(environment, config)])).flat();
  const runtime = await readRuntime(config, environment.name);
  if (options.json) printLines(terminal.stdout, [JSON.stringify({ environment: environment.name, components, tools: runtime?.tools ?? {} })]);
  else printLines(terminal.stdout, await reportLines(context, environment, components, runtime));
  return components.every(({ healthy }) => healthy) ? EXIT_CODES.done : EXIT_CODES.failed;
}

async function reportLines({ config, terminal: { style } }: CliContext, environment: Environment, components: readonly Component[], runtime: Runtime | undefined): Promise<string[]> {
  const down = components.filter(({ healthy }) => !healthy);
  return [
    style('bold', `Components of ${environment.name}`), ...componentLines(components, style),
    ...(hasEmbeddedParts(environment) ? toolLines(config.cacheDir, runtime, style) : []),
    '', style('bold', 'Folders'), ...table([
      ['  environment', `${config.environmentsDir}/${environment.name}.yaml`], ['  state', stateDir(config, environment.name)], ['  tools', config.cacheDir],
    ]),
    ...await addressLines(environment, config, runtime, style),
    '', style('bold', 'Next:'), `  ${nextLine(environment, down, runtime)}`,
  ];
}

function toolLines(cacheDir: string, runtime: Runtime | undefined, style: CliContext['terminal']['style']): string[] {
  const rows = Object.entries(runtime?.tools ?? {}).map(([name, path]) => [`  ${name}`, path]);
  return ['', style('bold', 'Tools'), ...(rows.length === 0 ? [`  none yet: "up" gets them into ${cacheDir}`] : table(rows))];
}

async function addressLines(environment: Environment, config: CliContext['config'], runtime: Runtime | undefined, style: CliContext['terminal']['style']): Promise<string[]> {
  try {
    const connections = await resolveConnections(environment, config);
    return [
      '', style('bold', 'Addresses'), ...table([
        ['  engine', `${connections.engine.address}, namespace ${connections.engine.namespace}`],
        ...(connections.engine.uiAddress === undefined ? [] : [['  Temporal UI', connections.engine.uiAddress]]),
        ...(runtime?.cluster === undefined ? [] : [['  Kubernetes API', runtime.cluster.server]]),
        ...(runtime?.vault === undefined ? [] : [['  Vault', runtime.vault.address]]),
      ]),
      '', style('bold', 'For a shell'), ...exportLines(connections, runtime).map((line) => `  ${line}`),
      ...lookAroundLines(connections, runtime).map(([line, shows]) => `  ${line}   # ${shows}`),
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
    return down.some(({ name }) => name === 'worker') ? `npm run worker -- --env ${environment.name}   (where the cluster can be reached)` : `Correct what the lines marked ✘ say, in environments/${environment.name}.yaml or where they point to.`;
  }
  return `${commandLine('up', ...env)}   (${runtime === undefined ? 'starts everything' : 'starts what is down'})`;
}
