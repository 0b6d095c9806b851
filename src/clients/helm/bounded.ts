/**
 * Helm under a guard that outlives the worker: it asks Helm to end when its time is up, and kills it a little later. So
 * a Helm whose worker was killed may finish what it began, and one that hangs still ends by itself.
 */
import { join } from 'node:path';
import { execa } from 'execa';

/** Helm needs some seconds to record a release as failed once it is asked to end. */
export const GRACE_SECONDS = 15;
/** The worker's own clock is first: it knows what to say about it. */
const AFTER_THE_WORKER_SECONDS = 5;
/** What the guard ends with after it has asked Helm to end: as timeout(1) does. */
export const TIMED_OUT = 124;

/** How long the guard lets Helm run. */
export function limitSeconds(timeoutSeconds: number): number {
  return Math.ceil(timeoutSeconds) + AFTER_THE_WORKER_SECONDS;
}

/** @returns after so many seconds no Helm of this timeout is left, whatever has become of its worker */
export function boundSeconds(timeoutSeconds: number): number {
  return limitSeconds(timeoutSeconds) + GRACE_SECONDS;
}

/**
 * Its own program where the system has none that does this, as on macOS. There, Helm loses its bound if the guard
 * itself is killed.
 */
const OWN_GUARD = [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  join(import.meta.dirname, 'guard.ts'),
] as const;
/** The kernel kills Helm when its guard dies, however that dies. */
const DIES_WITH_GUARD = ['setpriv', '--pdeathsig', 'KILL', '--'] as const;

const found = new Map<string, Promise<'both' | 'timeout' | 'own'>>();

/**
 * @param path where programs are looked for
 * @param limit whole seconds until it is asked to end
 * @param grace whole seconds from then on until it is killed
 * @returns the beginning of a command line, up to Helm
 */
export async function guarded(path: string, limit: number, grace: number): Promise<[string, ...string[]]> {
  const kept = found.get(path) ?? whatWorks(path);
  found.set(path, kept);
  const how = await kept;
  if (how === 'own') return [...OWN_GUARD, String(limit), String(grace)];
  return ['timeout', '-k', String(grace), String(limit), ...(how === 'both' ? DIES_WITH_GUARD : [])];
}

/** Tried, since programs of these names differ in what they can. */
async function whatWorks(path: string): Promise<'both' | 'timeout' | 'own'> {
  const works = async (...command: string[]): Promise<boolean> =>
    (await execa('timeout', ['-k', '1', '5', ...command], { env: { PATH: path }, extendEnv: false, reject: false }))
      .exitCode === 0;
  if (await works(...DIES_WITH_GUARD, 'true')) return 'both';
  return (await works('true')) ? 'timeout' : 'own';
}
