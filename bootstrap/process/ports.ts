/**
 * Loopback ports of one environment. They are chosen once, remembered, and kept as long as nobody else has taken them,
 * so that addresses survive a restart; a busy port means another port.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { readJson, writeFileDurably } from './files.ts';
import { withLock } from './lock.ts';

/** Below the ports that Linux and macOS hand out to outgoing connections, so that none of those can sit on ours. */
const FIRST = 20_000;
const LAST = 29_999;
export const LOOPBACK = '127.0.0.1';

/** Name of a listener to its port. */
export type Ports = Record<string, number>;
const portsSchema = z.record(z.string(), z.number().int().min(1).max(65_535));

export async function isPortFree(port: number): Promise<boolean> {
  // A listener on all addresses does not stop us from binding the loopback one everywhere: ask whether somebody
  // answers, too.
  return (await canListen(port)) && !(await somebodyAnswers(port));
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    // Clients of a server that is gone try again and again: they must not keep this one open.
    const server = createServer((socket) => {
      socket.destroy();
    });
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

function somebodyAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(500, () => {
      done(false);
    });
    socket.once('connect', () => {
      done(true);
    });
    socket.once('error', () => {
      done(false);
    });
  });
}

/** @returns what was remembered; empty when nothing was, or the file is damaged */
export async function readPorts(file: string): Promise<Ports> {
  const parsed = portsSchema.safeParse(await readJson(file));
  return parsed.success ? parsed.data : {};
}

export interface PortRequest {
  /**
   * Where they are remembered; also what the first choice is derived from, so that environments keep out of each
   * other's way.
   */
  file: string;
  names: readonly string[];
  /** Names whose port is in use by the very process it belongs to. */
  inUseByUs: ReadonlySet<string>;
  /**
   * A file that environments share, of who has which port: one that was chosen a moment ago, or whose process is just
   * being started again, is free to the eye. Absent: only looked at.
   */
  claims?: string;
}

/** A process that was killed holds its ports until its last thread is gone, a little after it counts as dead. */
const RELEASED_WITHIN_MS = 1_500;

/** Whether the port is free, or becomes so in a moment. */
export async function becomesFree(port: number, withinMs = RELEASED_WITHIN_MS): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!(await isPortFree(port))) {
    if (performance.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

/** Gives each name a port that is free now, the remembered one where possible, and remembers the choice. */
export async function claimPorts(request: PortRequest): Promise<Ports> {
  const { claims, file, names, inUseByUs } = request;
  const remembered = await readPorts(file);
  if (claims === undefined) return choosePorts(request, remembered, () => true);
  if (names.every((name) => remembered[name] !== undefined && inUseByUs.has(name))) return remembered;
  await mkdir(dirname(claims), { recursive: true });
  return withLock(`${claims}.lock`, {}, async () => {
    const written = await readClaims(claims);
    // It belongs to the other environment as long as that one has it on record; a deleted one has no record.
    const owners = [...new Set(Object.values(written))].filter((owner) => owner !== file);
    const memories = new Map(
      await Promise.all(owners.map(async (owner) => [owner, new Set(Object.values(await readPorts(owner)))] as const)),
    );
    const others = Object.entries(written).filter(([port, owner]) => memories.get(owner)?.has(Number(port)));
    const theirs = new Set(others.map(([port]) => Number(port)));
    const ports = await choosePorts(request, remembered, (port) => !theirs.has(port));
    const now = JSON.stringify(Object.fromEntries([...Object.values(ports).map((port) => [port, file]), ...others]));
    if (now !== JSON.stringify(written)) await writeFileDurably(claims, now);
    return ports;
  });
}

const claimsSchema = z.record(z.string(), z.string());

/** Port to the file that records it. */
async function readClaims(claims: string): Promise<Record<string, string>> {
  const parsed = claimsSchema.safeParse(await readJson(claims));
  return parsed.success ? parsed.data : {};
}

async function choosePorts(
  request: PortRequest,
  remembered: Ports,
  mayHave: (port: number) => boolean,
): Promise<Ports> {
  const kept = await Promise.all(
    request.names.map(async (name): Promise<[string, number][]> => {
      const port = remembered[name];
      return port !== undefined && (request.inUseByUs.has(name) || (mayHave(port) && (await becomesFree(port))))
        ? [[name, port]]
        : [];
    }),
  );
  const chosen = Object.fromEntries(kept.flat());
  const taken = new Set(Object.values(remembered));
  let candidate = firstChoice(request.file);
  for (const name of request.names.filter((missing) => chosen[missing] === undefined)) {
    for (let tries = 0; ; tries += 1) {
      if (tries > LAST - FIRST) throw new Error(`no free port between ${FIRST} and ${LAST} on ${LOOPBACK}`);
      candidate = candidate >= LAST ? FIRST : candidate + 1;
      if (!taken.has(candidate) && mayHave(candidate) && (await isPortFree(candidate))) break;
    }
    taken.add(candidate);
    chosen[name] = candidate;
  }
  const all = { ...remembered, ...chosen };
  if (request.names.some((name) => remembered[name] !== all[name]))
    await writeFileDurably(request.file, `${JSON.stringify(all, undefined, 2)}\n`);
  return all;
}

function firstChoice(file: string): number {
  return FIRST + (createHash('sha256').update(file).digest().readUInt32BE(0) % (LAST - FIRST));
}
