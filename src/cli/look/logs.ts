/** `ananta logs`. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from '../../catalog/schema.ts';
import { COMPONENTS, type ComponentName, layoutOf, logFileOf } from '../../../bootstrap/layout.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import { suggestion } from '../../suggest.ts';
import { checkService } from '../shared/arguments.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { followFile, lastLines } from './tail.ts';

export interface LogsOptions {
  env: string;
  follow?: true;
  lines: number;
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
    );
  }
  const { stdout } = context.terminal;
  for (const file of present) {
    if (present.length > 1) stdout.write(`==> ${file} <==\n`);
    stdout.write(await lastLines(file, lines));
  }
  const newest = present.at(-1);
  if (options.follow && newest !== undefined) await followFile(newest, (text) => void stdout.write(text));
}

function componentOf(what: string, service: string | undefined): ComponentName {
  const known = [...Object.keys(ALIASES), ...COMPONENTS, 'helm'];
  const name = ALIASES[what] ?? COMPONENTS.find((component) => component === what);
  if (name === undefined)
    throw refused(`There is no log of "${what}"${suggestion(what, known) || '.'} Known: ${known.join(', ')}.`);
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
