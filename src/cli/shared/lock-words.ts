/** What holds the lock, in words. Pure. */
import type { LockHolder } from '../../contract/lock.ts';
import type { Environment } from '../../environment/schema.ts';
import { commandLine, duration } from './format.ts';
import { OPERATION_WORDS } from '../render/operation-words.ts';

/** `a rollback that root@laptop started at 12:00:03Z (2 min ago)` @param now milliseconds since the epoch */
export function describeHolder({ operation, requestedBy, since }: LockHolder, now: number): string {
  return `${OPERATION_WORDS[operation].one} that ${requestedBy} started at ${since} (${duration(Math.max(0, (now - Date.parse(since)) / 1000))} ago)`;
}

/** The line that helps where nothing moves. */
export function reviveLine(environment: Pick<Environment, 'name' | 'engine'>): string {
  return 'embedded' in environment.engine
    ? `${commandLine('up', '--env', environment.name)}   (starts the worker again; the operation goes on by itself)`
    : 'inCluster' in environment.engine
      ? `${commandLine('install', '--env', environment.name)}   (looks after the workers in the cluster; the operation goes on by itself)`
      : `npm run worker -- --env ${environment.name}   (where the cluster can be reached; the operation goes on by itself)`;
}

/** What a person should know about a holder that does not move, or waits for somebody; nothing while it does. */
export function describeStall(
  { stalled, held = [] }: LockHolder,
  environment: Pick<Environment, 'name' | 'engine'>,
): string[] {
  return [
    ...held.map((line) => `${line}.`),
    ...(stalled === undefined ? [] : [`It does not move: ${stalled}.`, `Next: ${reviveLine(environment)}`]),
  ];
}
