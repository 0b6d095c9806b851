import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ToolEnvironment } from '../types.ts';

const run = promisify(execFile);

/** How a program prints its version. */
export interface VersionQuery {
  args: readonly string[];
  /** Matched against standard output, then standard error; group 1 is the version without "v". */
  pattern: RegExp;
}

/** From `atLeast` up to but not including `below`, both as "1.2.3". */
export interface VersionRange {
  atLeast: string;
  below: string;
}

function parts(version: string): number[] {
  return version.split('.').map(Number);
}

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`; both "1.2.3". */
export function compareVersions(a: string, b: string): number {
  const right = parts(b);
  for (const [at, left] of parts(a).entries()) {
    const difference = left - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function fits(version: string, range: VersionRange): boolean {
  return compareVersions(version, range.atLeast) >= 0 && compareVersions(version, range.below) < 0;
}

const ANSWER_WITHIN_MILLISECONDS = 20_000;

/**
 * Runs the program and reads its version. It gets a home folder that does not exist, so that it leaves no files in the
 * user's.
 * @throws Error with a readable message when it does not run or does not say a version
 */
export async function askVersion(path: string, query: VersionQuery, env: ToolEnvironment): Promise<string> {
  const { stdout, stderr } = await run(path, [...query.args], {
    timeout: ANSWER_WITHIN_MILLISECONDS,
    killSignal: 'SIGKILL',
    env: { PATH: env['PATH'] ?? '', HOME: '/nonexistent', LC_ALL: 'C' },
  }).catch((error: unknown) => {
    const { killed, code, stderr: said } = error as { killed?: boolean; code?: string | number; stderr?: string };
    const why =
      killed === true
        ? `no answer within ${ANSWER_WITHIN_MILLISECONDS / 1000} s`
        : `${said?.trim().split('\n')[0] ?? ''} (${code})`;
    throw new Error(`does not run: ${why.trim()}`);
  });
  const version = (query.pattern.exec(stdout) ?? query.pattern.exec(stderr))?.[1];
  if (version === undefined) throw new Error(`does not say its version (${query.args.join(' ')})`);
  return version;
}
