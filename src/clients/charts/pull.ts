/**
 * Gets one archive from one place, with Helm where a repository or a registry has to be asked. Trusts nothing: whoever
 * calls compares digests.
 */
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { ChartPlace, WantedChart } from '../../plan/charts/wanted.ts';
import { placeName } from '../../plan/charts/wanted.ts';
import { helmEnvironment } from '../helm/arguments.ts';
import { ChartUnavailableError } from './errors.ts';
import { readIndex, type IndexEntry } from './repository-index.ts';

export interface PullOptions {
  /** The pinned Helm; asked for only when it is needed. */
  helm: () => Promise<string>;
  /** PATH, HOME, proxies. */
  env: Readonly<Record<string, string>>;
  /** Milliseconds between attempts; as many attempts as there are pauses, and one. */
  pauses?: readonly number[];
}

export interface Pulled {
  file: string;
  /**
   * What a repository's index says of it. A registry's manifest needs no second look: Helm checks archives against it.
   */
  indexed?: IndexEntry | undefined;
}

const TIMEOUT_MILLISECONDS = 120_000;
const PAUSES = [1000, 3000];
/** Asking again brings the same answer. */
const FINAL =
  /not found|no chart (?:version|name) found|improper constraint|manifest unknown|unauthorized|denied|403|401|x509|server gave HTTP response to HTTPS client|unsupported protocol/i;

/**
 * @param folder private to this call: the archive, and all that Helm writes, go into it
 * @throws ChartUnavailableError after the last attempt, or the signal's reason
 */
export async function pull(
  chart: Pick<WantedChart, 'name' | 'version' | 'mirror'>,
  place: ChartPlace,
  folder: string,
  options: PullOptions,
  signal?: AbortSignal,
): Promise<Pulled> {
  const what = `Chart ${chart.name} ${chart.version}`;
  if (place.kind === 'folder') return { file: await copied(what, chart, place.path, folder) };
  const pauses = [...(options.pauses ?? PAUSES)];
  for (let attempt = 1; ; attempt += 1) {
    const target = join(folder, String(attempt));
    await mkdir(target, { recursive: true, mode: 0o700 });
    const outcome = await pullOnce(chart, place, target, options, signal);
    if (typeof outcome !== 'string') return outcome;
    signal?.throwIfAborted();
    const pause = FINAL.test(outcome) ? undefined : pauses.shift();
    if (pause === undefined)
      throw new ChartUnavailableError(what, [
        { place: placeName(place), said: `${outcome}${attempt > 1 ? ` (${attempt} attempts)` : ''}` },
      ]);
    await sleep(pause, undefined, signal ? { signal } : {});
  }
}

async function copied(
  what: string,
  { name, version }: Pick<WantedChart, 'name' | 'version'>,
  path: string,
  folder: string,
): Promise<string> {
  const file = `${name}-${version}.tgz`;
  const target = join(folder, file);
  try {
    await copyFile(join(path, file), target);
    return target;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ChartUnavailableError(what, [
      { place: path, said: missing ? `there is no file ${file}` : (error as Error).message },
    ]);
  }
}

/** @returns what Helm said against it */
async function pullOnce(
  chart: Pick<WantedChart, 'name' | 'version' | 'mirror'>,
  place: Exclude<ChartPlace, { kind: 'folder' }>,
  folder: string,
  options: PullOptions,
  signal?: AbortSignal,
): Promise<Pulled | string> {
  const { mirror } = chart;
  const run = await runner(folder, mirror?.credentials, options, signal);
  const trust = mirror?.ca === undefined ? [] : ['--ca-file', mirror.ca];
  const name = 'source';
  if (place.kind === 'repository') {
    const said = await run(['repo', 'add', name, place.url, ...trust]);
    if (said !== undefined) return said;
  }
  const out = join(folder, 'out');
  await mkdir(out);
  const said = await run([
    'pull',
    place.kind === 'oci' ? place.reference : `${name}/${chart.name}`,
    '--version',
    chart.version,
    '--destination',
    out,
    ...(place.kind === 'oci' ? trust : []),
    ...(place.kind === 'oci' && mirror?.plainHttp ? ['--plain-http'] : []),
  ]);
  if (said !== undefined) return said;
  const file = (await readdir(out)).find((found) => found.endsWith('.tgz'));
  if (file === undefined) return 'Helm brought no archive';
  return {
    file: join(out, file),
    ...(place.kind === 'repository'
      ? { indexed: await readIndex(join(folder, 'home', 'cache', 'repository', `${name}-index.yaml`), chart) }
      : {}),
  };
}

/** Helm with a home of its own, fresh each time: neither the user's logins nor a cached archive play a part. */
async function runner(
  folder: string,
  credentials: string | undefined,
  options: PullOptions,
  signal?: AbortSignal,
): Promise<(args: string[]) => Promise<string | undefined>> {
  const home = join(folder, 'home');
  await mkdir(home, { recursive: true, mode: 0o700 });
  const binary = await options.helm();
  const env = {
    ...helmEnvironment(options.env, home),
    HELM_REGISTRY_CONFIG: credentials ?? join(home, 'registry.json'),
    // Helm falls back to Docker's logins, which belong to the user.
    DOCKER_CONFIG: join(home, 'docker'),
  };
  return async (args) => {
    const result = await execa(binary, args, {
      env,
      extendEnv: false,
      reject: false,
      stdin: 'ignore',
      stdout: 'ignore',
      maxBuffer: 1024 * 1024,
      timeout: TIMEOUT_MILLISECONDS,
      ...(signal ? { cancelSignal: signal } : {}),
    });
    if (result.exitCode === 0) return undefined;
    if (result.timedOut) return `no end within ${TIMEOUT_MILLISECONDS / 1000} s`;
    if (result.exitCode === undefined)
      return `Helm ended at once: ${result.originalMessage ?? result.signal ?? 'unknown'}`;
    return lastWords(result.stderr);
  };
}

function lastWords(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '' && !/^(level|time)=/.test(line));
  const start = lines.findLastIndex((line) => line.startsWith('Error: '));
  return (
    lines
      .slice(start === -1 ? -3 : start)
      .join(' ')
      .replace(/^Error: /, '')
      .trim() || 'Helm ended without a word'
  );
}
