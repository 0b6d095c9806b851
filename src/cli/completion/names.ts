/** Names that completion offers: from files, and from what was read of clusters lately. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import type { Candidate, Names } from './answer.ts';
import { cached, readKept } from './cache.ts';

interface Platform {
  services: Candidate[];
  phases: Candidate[];
}

export interface KeptVersions {
  /** Milliseconds since the epoch. */
  readAt: number;
  versions: Candidate[];
}

/** A cluster is asked again, beside the answer, when what is known is older. */
const FRESH_MS = 20_000;

/** @param refresh entry that reads the versions of an environment */
export function namesOf(config: Config, refresh: string): Names {
  const platform = (environment: string): Promise<Platform> =>
    cached(
      config,
      `platform-${environment}`,
      [
        // The files alone: what else lies in their folder may change all the time.
        ...filesIn(config.environmentsDir).map((file) => join(config.environmentsDir, file)),
        join(config.repoRoot, 'src', 'catalog'),
        join(config.repoRoot, 'platforms'),
      ],
      () => readPlatform(environment, config),
    );
  return {
    environments: () => environmentsIn(config.environmentsDir),
    services: async (environment) => (await platform(environment)).services,
    phases: async (environment) => (await platform(environment)).phases,
    versions(environment) {
      const kept = readKept(config, versionsName(environment)) as KeptVersions | undefined;
      if (kept === undefined || Date.now() - kept.readAt > FRESH_MS) readBeside(refresh, environment);
      return kept?.versions ?? [];
    },
  };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder).filter((file) => file.endsWith('.yaml') && !file.startsWith('.'));
}

export function versionsName(environment: string): string {
  return `versions-${environment}`;
}

function environmentsIn(folder: string): Candidate[] {
  return filesIn(folder).map((file) => ({ value: file.slice(0, -'.yaml'.length), description: '' }));
}

async function readPlatform(name: string, config: Config): Promise<Platform> {
  const [{ loadEnvironment }, { loadPlatform }] = await Promise.all([
    import('../../environment/load.ts'),
    import('../../environment/platform.ts'),
  ]);
  const { services, phases } = await loadPlatform(await loadEnvironment(name, config), config);
  return {
    services: services.map(({ name: value, phase }) => ({ value, description: `phase ${phase}` })),
    phases: phases.map(({ number, title }) => ({ value: String(number), description: title })),
  };
}

/** Nobody waits for a cluster at a prompt: the next press of the key knows more. */
function readBeside(refresh: string, environment: string): void {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', refresh, environment], {
    detached: true,
    stdio: 'ignore',
  });
  child.on('error', () => undefined);
  child.unref();
}
