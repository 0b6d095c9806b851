/**
 * Helm processes of this machine as its kernel shows them, whoever's records they are in: those of another checkout,
 * too.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { OWNER_VARIABLE, pidOf, whereabouts } from '../../process/owner.ts';
import { processIdentity } from '../../process/identity.ts';
import type { HelmProcess } from './processes.ts';

const run = promisify(execFile);
const VERBS = ['upgrade', 'rollback', 'uninstall'];
const [CLUSTER_VARIABLE, RUN_VARIABLE, END_VARIABLE] = ['ANANTA_CLUSTER', 'ANANTA_RUN', 'ANANTA_ENDS_BY'] as const;

/** What a Helm of ours has in its environment, for whoever finds it without its worker. */
interface Marks {
  /** Label of the worker. */
  owner: string;
  clusterUid: string | undefined;
  runId: string;
  /** ISO 8601 */
  endsBy: string;
}

interface Release {
  namespace: string;
  release: string;
}

/** @returns variables for the environment of a Helm */
export function markedWith({ owner, clusterUid, runId, endsBy }: Marks): Record<string, string> {
  return {
    [OWNER_VARIABLE]: owner,
    ...(clusterUid === undefined ? {} : { [CLUSTER_VARIABLE]: clusterUid }),
    [RUN_VARIABLE]: runId,
    [END_VARIABLE]: endsBy,
  };
}

/**
 * A Helm that this owner has started for the release and that still runs. Where it cannot be seen who started a
 * process, because it is another user's, what it was called with decides.
 * @param owner its label
 */
export async function helmOf(owner: string, release: Release): Promise<HelmProcess | undefined> {
  for (const { pid, args } of await all()) {
    if (!isHelmFor(args, release)) continue;
    const marks = marksOf(pid);
    if (marks !== undefined && marks.owner !== owner) continue;
    const found = await asHelmProcess(pid, { ...marks, owner }, '');
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A Helm for the release in that cluster, started by whichever worker of this machine, alive or not. */
export async function helmFor(
  clusterUid: string,
  podUid: string | undefined,
  release: Release,
): Promise<HelmProcess | undefined> {
  if (process.platform !== 'linux') return undefined;
  for (const { pid, args } of await all()) {
    if (!isHelmFor(args, release)) continue;
    const marks = marksOf(pid);
    if (marks?.owner === undefined || marks.clusterUid !== clusterUid) continue;
    const where = await whereabouts(marks.owner, podUid);
    if (where === 'unknown') continue;
    const worker = where === 'here' ? await processIdentity(pidOf(marks.owner) ?? 0) : undefined;
    const found = await asHelmProcess(pid, marks, worker?.startToken ?? '');
    if (found !== undefined) return found;
  }
  return undefined;
}

async function asHelmProcess(
  pid: number,
  { owner = '', runId = '', endsBy }: Partial<Marks>,
  startToken: string,
): Promise<HelmProcess | undefined> {
  const helm = await processIdentity(pid);
  const worker = { pid: pidOf(owner) ?? 0, startToken };
  return helm && { helm, worker, runId, startedAt: 'a time unknown', ...(endsBy === undefined ? {} : { endsBy }) };
}

function isHelmFor(args: readonly string[], { namespace, release }: Release): boolean {
  const verb = args.findIndex((arg) => VERBS.includes(arg));
  return (
    verb > 0 &&
    args.slice(0, verb).some((arg) => basename(arg) === 'helm') &&
    args.includes(release) &&
    args[args.indexOf('--namespace') + 1] === namespace
  );
}

/** @returns undefined where it cannot be seen; nothing in it where the process has ended, or is nobody's of ours */
function marksOf(pid: number): Partial<Marks> | undefined {
  if (process.platform !== 'linux') return undefined;
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' || code === 'ESRCH' ? { owner: '' } : undefined;
  }
  const variables = text.split('\0');
  const valueOf = (name: string): string | undefined =>
    variables.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
  const [clusterUid, runId, endsBy] = [valueOf(CLUSTER_VARIABLE), valueOf(RUN_VARIABLE), valueOf(END_VARIABLE)];
  return {
    owner: valueOf(OWNER_VARIABLE) ?? '',
    clusterUid,
    ...(runId === undefined ? {} : { runId }),
    ...(endsBy === undefined ? {} : { endsBy }),
  };
}

async function all(): Promise<{ pid: number; args: string[] }[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await run('ps', ['-axww', '-o', 'pid=,command='], {
      env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .map(([pid, ...args]) => ({ pid: Number(pid), args }));
  }
  // No disk is behind it: a thread for each would cost more than the reading.
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid: Number(pid), args: argumentsOf(pid) }));
}

function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
