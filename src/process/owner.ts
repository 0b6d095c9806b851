/**
 * Identifies a process so that another one can find out whether it still runs: pod, machine and boot, PID namespace,
 * PID and start time. All of it fits into the value of one label.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { ownIdentity, processIdentity } from './identity.ts';

const run = promisify(execFile);

/** Set for every program that this process starts to do its work, with the label of this process. */
export const OWNER_VARIABLE = 'ANANTA_OWNER';

/**
 * State of an owner as seen from here. `here`: the process runs. `gone`: it has ended, and a child process of it can
 * only be on this machine. `unknown`: it ran where its processes cannot be seen.
 */
export type Whereabouts = 'here' | 'gone' | 'unknown';

interface Owner {
  /** Of the pod's uid; undefined outside of a cluster. */
  pod: string | undefined;
  /** Digest of the boot id and the PID namespace. */
  place: string;
  pid: number;
  start: string;
}

const LONGEST_HOST = 20;
/** `<host>.<m<place> or p<pod><place>>.<pid>.<start>`, at most 63 characters, of those a label may have. */
const OWN = /^[A-Za-z0-9-]+\.(?:m|p([0-9a-f]{8}))([0-9a-f]{8})\.(\d+)\.([A-Za-z0-9-]+)$/;
/** As it was written before: `<first 24 characters of the host>.<pid>.<start>`. */
const EARLIER = /^([A-Za-z0-9-]+)\.(\d+)\.([A-Za-z0-9-]+)$/;
const EARLIER_LONGEST_HOST = 24;

let place: Promise<string> | undefined;

/** @param podUid of the pod that this process runs in */
export async function ownerLabel(podUid: string | undefined): Promise<string> {
  const [{ pid, startToken }, here] = await Promise.all([ownIdentity(), ownPlace()]);
  return `${cleaned(hostname(), LONGEST_HOST)}.${podUid === undefined ? 'm' : `p${short(podUid)}`}${here}.${pid}.${startOf(startToken)}`;
}

/**
 * @param label what `ownerLabel` gave, now or in an earlier version; anything else is `unknown`
 * @param podUid of the pod that this process runs in
 */
export async function whereabouts(
  label: string | undefined,
  podUid: string | undefined,
  host = hostname(),
): Promise<Whereabouts> {
  const owner = parse(label ?? '');
  if (owner === undefined) return whereaboutsByHost(label ?? '', host);
  if (owner.place === (await ownPlace()))
    return (await lives(owner.pid, ({ startToken }) => startOf(startToken) === owner.start)) ? 'here' : 'gone';
  // A container starts again only after the one before it has ended, with all its processes.
  return podUid !== undefined && owner.pod === short(podUid) ? 'gone' : 'unknown';
}

/** @returns what makes the number of this process unmistakable, in one word: `<place>-<start>` */
export async function processTag(): Promise<string> {
  const [{ startToken }, here] = await Promise.all([ownIdentity(), ownPlace()]);
  return `${here}-${startOf(startToken)}`;
}

/** @param tag of the process with this number */
export async function isGoneFromHere(pid: number, tag: string): Promise<boolean> {
  if (!(await isFromHere(tag))) return false;
  const start = tag.slice(tag.indexOf('-') + 1);
  return !(await lives(pid, ({ startToken }) => startOf(startToken) === start));
}

/** @param tag of a process; whether its number means the same here */
export async function isFromHere(tag: string): Promise<boolean> {
  return tag.startsWith(`${await ownPlace()}-`);
}

/** Number of the owner's process; undefined for a label that nobody of us has written. */
export function pidOf(label: string): number | undefined {
  const pid = OWN.exec(label)?.[3] ?? EARLIER.exec(label)?.[2];
  return pid === undefined ? undefined : Number(pid);
}

function parse(label: string): Owner | undefined {
  const [, pod, where, pid, start] = OWN.exec(label) ?? [];
  return where === undefined ? undefined : { pod, place: where, pid: Number(pid), start: start ?? '' };
}

/**
 * The beginning of a host's name says little: pods of one ReplicaSet share it, so it counts only where it is all of the
 * name, and the boot fits.
 */
async function whereaboutsByHost(label: string, ownHost: string): Promise<Whereabouts> {
  const [, host, pid, start] = EARLIER.exec(label) ?? [];
  const whole = ownHost.replaceAll(/[^A-Za-z0-9-]/g, '-');
  if (host === undefined || whole.length >= EARLIER_LONGEST_HOST || host !== cleaned(whole, EARLIER_LONGEST_HOST))
    return 'unknown';
  const boot = /^([0-9a-f]{8})-\d+$/.exec(start ?? '')?.[1];
  const { startToken } = await ownIdentity();
  if (boot !== undefined && !startToken.startsWith(`${boot}:`)) return 'unknown';
  return (await lives(Number(pid), (found) => asLabel(found.startToken) === start)) ? 'here' : 'gone';
}

async function lives(pid: number, isSame: (found: { startToken: string }) => boolean): Promise<boolean> {
  const found = await processIdentity(pid);
  return found !== undefined && isSame(found);
}

/**
 * Two processes with the same place see each other under the same numbers; equal host names, or equal images, are not
 * enough for that.
 */
function ownPlace(): Promise<string> {
  place ??= placeText().then(short);
  return place;
}

async function placeText(): Promise<string> {
  try {
    const boot =
      process.platform === 'linux'
        ? await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
        : (await run('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'])).stdout;
    const numbers = process.platform === 'linux' ? await readlink('/proc/self/ns/pid') : '';
    return [boot.trim(), numbers, hostname()].join(' ');
  } catch {
    // A random place matches no other process: owners that cannot be told apart count as running and are waited for.
    return `${hostname()} ${process.pid} ${Math.random()}`;
  }
}

function startOf(startToken: string): string {
  return asLabel(startToken.replace(/^[0-9a-f]{8}:/, ''));
}

function asLabel(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9._-]/g, '-').replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}

function cleaned(name: string, longest: number): string {
  return (
    name
      .replaceAll(/[^A-Za-z0-9-]/g, '-')
      .slice(0, longest)
      .replace(/^-+|-+$/g, '') || 'host'
  );
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
