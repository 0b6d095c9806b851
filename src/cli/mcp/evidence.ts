/** Evidence in the state folder of an environment: collected by workers of this machine, values hidden. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Config, stateDir } from '../../config.ts';
import { refused } from '../shared/failure.ts';

export interface EvidenceFile {
  /** Of the operation. */
  runId: string;
  /** Service, or `SERVICE-before` for what it was like before it was touched. */
  name: string;
  /** Of its collection, ISO 8601. */
  at: string;
}

/** A log may be long; what came last is what matters. */
const MOST_CHARACTERS = 60_000;

/** Newest first. @returns none where nothing was ever collected on this machine */
export async function listEvidence(config: Config, environment: string): Promise<EvidenceFile[]> {
  const folder = join(stateDir(config, environment), 'evidence');
  const runs = await readdir(folder).catch(() => []);
  const files = await Promise.all(
    runs.map(async (runId) => {
      const names = await readdir(join(folder, runId)).catch(() => []);
      return Promise.all(
        names
          .filter((name) => name.endsWith('.txt'))
          .map(async (name) => ({
            runId,
            name: basename(name, '.txt'),
            at: (await stat(join(folder, runId, name))).mtime.toISOString(),
          })),
      );
    }),
  );
  return files.flat().sort((a, b) => b.at.localeCompare(a.at));
}

/** @throws CliError (refused) where there is no such file; names are looked up, never put together to a path */
export async function readEvidence(
  config: Config,
  environment: string,
  service: string,
  runId?: string,
): Promise<string> {
  const found = (await listEvidence(config, environment)).find(
    (file) => file.name === service && (runId === undefined || file.runId === runId),
  );
  if (found === undefined)
    throw refused(
      `There is no evidence of "${service}"${runId === undefined ? '' : ` of run ${runId}`} on this machine.`,
      'The tool without a service lists what there is.',
    );
  const text = await readFile(
    join(stateDir(config, environment), 'evidence', found.runId, `${found.name}.txt`),
    'utf8',
  );
  return text.length <= MOST_CHARACTERS ? text : `(the beginning is left out)\n${text.slice(-MOST_CHARACTERS)}`;
}
