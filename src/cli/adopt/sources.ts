/** `adopt --from`: what somebody else has brought up, read from a state file or from the cluster. Changes nothing. */
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Environment } from '../../environment/schema.ts';
import type { Found } from '../../plan/adoption/found.ts';
import { foundInState, parseState } from '../../plan/adoption/state.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';

/** In the place of a file's name: the cluster itself. */
export const LIVE = 'live';
/** A state of thousands of resources has some ten of them. */
const MOST_BYTES = 256 * 1024 * 1024;
const FOR_OTHERS = 0o077;

export interface Source {
  found: Found;
  /** About the file itself. */
  notes: string[];
}

/** @throws CliError (refused), StateFileError */
export async function readSource(context: CliContext, environment: Environment, from: string): Promise<Source> {
  if (from !== LIVE) return readStateFile(from);
  const { withLiveClients } = await import('../shared/clients.ts');
  const { foundLive } = await import('../../effects/adopt/found-live.ts');
  return withLiveClients(context, environment, async (clients, signal) => ({
    found: await foundLive(clients, signal),
    notes: [],
  }));
}

async function readStateFile(path: string): Promise<Source> {
  const name = basename(path);
  const file = await open(path).catch((error: unknown) => {
    throw refused(`--from ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  try {
    const { size, mode } = await file.stat();
    if (size > MOST_BYTES) throw refused(`--from ${path} is larger than ${MOST_BYTES / 1024 ** 2} MiB.`);
    const found = foundInState(parseState(await file.readFile('utf8'), name), name);
    return {
      found,
      notes:
        (mode & FOR_OTHERS) === 0
          ? []
          : [`${path} holds secrets, and others on this machine may read it: chmod 600 ${path}`],
    };
  } finally {
    await file.close();
  }
}
