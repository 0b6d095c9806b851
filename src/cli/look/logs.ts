/** `ananta logs`. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog, Service } from '../../catalog/schema.ts';
import { COMPONENTS, type ComponentName, layoutOf, logFileOf } from '../../../bootstrap/layout.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import type { Environment } from '../../environment/schema.ts';
import { suggestion } from '../../suggest.ts';
import { checkService } from '../shared/arguments.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { written } from '../shared/terminal.ts';
import type { PodLogsOptions } from './pod-logs.ts';
import { followFile, lastLines } from './tail.ts';

export interface LogsOptions extends PodLogsOptions {
  env: string;
  /** `what` is a service, although a component bears the same name. */
  pods?: true;
}

/** `engine` is what people call it; `temporal` is what it is. */
const ALIASES: Record<string, ComponentName> = { engine: 'temporal' };

export async function printLogs(
  context: CliContext,
  what: string,
  service: string | undefined,
  options: LogsOptions,
): Promise<void> {
  const { lines } = options;
  const environment = await loadEnvironment(options.env, context.config);
  const found = await serviceOf(context, environment, what, service, options);
  if (found) {
    const { printPodLogs } = await import('./pod-logs.ts');
    return printPodLogs(context, environment, found, options);
  }
  const layout = layoutOf(context.config, environment.name);
  const files =
    what === 'helm'
      ? await helmLogs(await loadPlatform(environment, context.config), join(layout.logs, 'helm'), service)
      : [logFileOf(layout, componentOf(what, service))];
  const present = await newestLast(files);
  if (present.length === 0) {
    throw refused(
      `There is no log of ${what}${service === undefined ? '' : ` ${service}`} for "${environment.name}" on this machine (${files.join(', ')}). Either it never ran here, or another machine ran it.`,
      commandLine('doctor', '--env', environment.name),
      ...(what === 'helm'
        ? []
        : [
            `${commandLine('logs', what, '--pods', '--env', environment.name)}   (where it is a service in the cluster)`,
          ]),
    );
  }
  const { stdout } = context.terminal;
  for (const file of present) {
    if (present.length > 1) stdout.write(`==> ${file} <==\n`);
    stdout.write(await lastLines(file, lines));
  }
  const newest = present.at(-1);
  if (options.follow && newest !== undefined) await followFile(newest, (text) => written(stdout, text));
}

/** A name that is a component's and a service's means the component, unless the pods are asked for. */
async function serviceOf(
  { config }: CliContext,
  environment: Environment,
  what: string,
  service: string | undefined,
  { pods, previous, follow, json }: LogsOptions,
): Promise<Service | undefined> {
  const ofPods = pods ?? previous ?? json ?? false;
  if (previous && follow)
    throw refused('What was written before a restart has an end: --previous does not go with --follow.');
  if (what === 'helm' || service !== undefined || (!ofPods && isComponent(what))) {
    if (ofPods)
      throw refused('--pods, --previous and --json are for the pods of a service.', commandLine('logs', 'SERVICE'));
    return undefined;
  }
  const { services } = await loadPlatform(environment, config);
  const found = services.find(({ name }) => name === what);
  if (found) return found;
  const known = [...services.map(({ name }) => name), ...LOGS];
  throw refused(
    `There is no log of "${what}"${suggestion(what, known) || '.'} Services have one, and on this machine ${LOGS.join(', ')}.`,
    commandLine('catalog'),
  );
}

const LOGS = [...Object.keys(ALIASES), ...COMPONENTS, 'helm'];

function isComponent(what: string): boolean {
  return LOGS.includes(what);
}

function componentOf(what: string, service: string | undefined): ComponentName {
  const name = ALIASES[what] ?? COMPONENTS.find((component) => component === what);
  if (name === undefined)
    throw refused(`There is no log of "${what}"${suggestion(what, LOGS) || '.'} Known: ${LOGS.join(', ')}.`);
  if (service !== undefined) throw refused(`"${what}" takes no service; only helm does.`, commandLine('logs', what));
  return name;
}

/** The logs of a service's releases: its steps before it, itself, its steps after it. */
async function helmLogs({ services }: Catalog, folder: string, service: string | undefined): Promise<string[]> {
  if (service === undefined) {
    const there = await readdir(folder).catch(() => []);
    throw refused(
      `Helm's log of which service? There are ${
        there.length === 0
          ? 'none yet'
          : there
              .map((file) => file.replace(/\.log$/, ''))
              .sort()
              .join(', ')
      }.`,
      commandLine('logs', 'helm', 'SERVICE'),
    );
  }
  const found = services.find(({ name }) => name === service);
  const step = services.flatMap(({ before, after }) => [...before, ...after]).find(({ name }) => name === service);
  if (!found && !step)
    checkService(
      service,
      services.map(({ name }) => name),
    );
  const releases = found
    ? [...found.before.map(({ name }) => name), found.name, ...found.after.map(({ name }) => name)]
    : [service];
  return releases.map((name) => join(folder, `${name}.log`));
}

async function newestLast(files: readonly string[]): Promise<string[]> {
  const dated = await Promise.all(
    files.map(async (file) => ({
      file,
      time: await stat(file).then(
        ({ mtimeMs }) => mtimeMs,
        () => undefined,
      ),
    })),
  );
  return dated
    .filter(({ time }) => time !== undefined)
    .sort((a, b) => (a.time ?? 0) - (b.time ?? 0))
    .map(({ file }) => file);
}
