/** What every run of a rehearsal begins with: nothing, what another state of the checkout deploys, or what runs. */
import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { extract } from 'tar';
import type { CliContext } from '../shared/context.ts';
import { failed, refused } from '../shared/failure.ts';
import { shortened } from '../shared/arguments.ts';
import type { Catalog } from '../../catalog/schema.ts';
import type { Environment } from '../../environment/schema.ts';
import type { Export } from '../../plan/rehearsal/export.ts';
import type { StandIn } from '../../plan/rehearsal/stand.ts';
import { withVersions } from '../history/read.ts';
import { checkExport, prepareExport, readExportFile } from './from-export.ts';
import type { Stage } from './stage.ts';

export const EMPTY = 'empty';
export const LIVE = 'live';
/** Of a platform version; no commit is that short. */
const VERSION = /^[1-9]\d{0,5}$/;

interface Beginning {
  environment: Environment;
  catalog: Catalog;
  /** What the environment makes of each release today. */
  digests: ReadonlyMap<string, { digest: string }>;
  say: (line: string) => void;
  signal: AbortSignal;
}

/**
 * Brings the throwaway cluster to its beginning.
 * @returns the beginning in words, and what of it is not there
 * @throws CliError (refused) where there is no such commit or folder, CliError (failed) where it cannot be deployed
 */
export async function begin(
  context: CliContext,
  stage: Stage,
  from: string,
  { environment, catalog, digests, say, signal }: Beginning,
): Promise<Begun> {
  const { config } = context;
  if (from === EMPTY) return { words: 'an empty cluster', standIns: [] };
  const found = await exportOf(context, environment.name, from, signal);
  if (found !== undefined) {
    checkExport(found, environment, catalog);
    const { words, args, gone, undo } = await prepareExport(found, stage, { catalog, digests, signal });
    say(`Beginning: ${words}`);
    await deployWithItsOwn(config.repoRoot, stage, { words, signal, args });
    await stage.keep();
    await undo();
    return { words, standIns: exportStandIns(gone) };
  }
  const { folder, words } = await checkoutOf(config.repoRoot, stage, from, signal);
  say(`Beginning: what ${words} deploys`);
  await deployWithItsOwn(folder, stage, { words, signal });
  await stage.keep();
  return { words, standIns: [] };
}

interface Begun {
  words: string;
  standIns: StandIn[];
}

/** @returns undefined where it names a commit or a checkout */
async function exportOf(
  context: CliContext,
  name: string,
  from: string,
  signal: AbortSignal,
): Promise<Export | undefined> {
  if (from === LIVE || VERSION.test(from)) {
    const { readExport } = await import('../../effects/rehearsal/export.ts');
    return withVersions(context, name, (clients) =>
      readExport(clients, from === LIVE ? undefined : Number(from), signal),
    );
  }
  const path = resolve(from);
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? readExportFile(path) : undefined;
}

function exportStandIns(gone: readonly string[]): StandIn[] {
  return [
    {
      field: '--from',
      rehearsed: 'what Helm recorded of each release, and definitions, quotas and limits of the cluster',
      unseen: 'values of secrets, data, and what others have there besides',
    },
    ...(gone.length === 0
      ? []
      : [
          {
            field: '--from',
            rehearsed: `without ${gone.join(', ')}`,
            unseen: 'services that the checkout no longer has',
          },
        ]),
  ];
}

const run = promisify(execFile);

/** @returns the folder of the checkout to begin with, and how it is called */
async function checkoutOf(
  repoRoot: string,
  { folder }: Stage,
  from: string,
  signal: AbortSignal,
): Promise<{ folder: string; words: string }> {
  const given = resolve(from);
  if (existsSync(join(given, 'src', 'cli', 'main.ts'))) return { folder: given, words: `the checkout ${given}` };
  const git = (...args: string[]): Promise<{ stdout: string }> => run('git', ['-C', repoRoot, ...args], { signal });
  const commit = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${from}^{commit}`).then(
    ({ stdout }) => stdout.trim(),
    () => {
      signal.throwIfAborted();
      throw refused(
        `--from ${shortened(from)}: neither "${EMPTY}", nor "${LIVE}", nor a version's number, nor a file of "export", nor a commit of ${repoRoot}, nor a folder with a checkout.`,
        `git -C ${repoRoot} branch --all`,
      );
    },
  );
  const [checkout, archive] = [join(folder, 'checkout'), join(folder, 'checkout.tar')];
  await mkdir(checkout, { recursive: true });
  await git('archive', '--format=tar', `--output=${archive}`, commit);
  await extract({ file: archive, cwd: checkout });
  // Packages are those of today: what the code of that time lacks of them would be said when it starts.
  await symlink(join(repoRoot, 'node_modules'), join(checkout, 'node_modules'));
  return { folder: checkout, words: `commit ${commit.slice(0, 12)} (${from})` };
}

/** By that checkout's own code, so that what it writes into the cluster is what it wrote then. */
async function deployWithItsOwn(
  folder: string,
  { config, environment }: Stage,
  { words, signal, args: more = [] }: { words: string; signal: AbortSignal; args?: readonly string[] },
): Promise<void> {
  const { describeExit, killGroup, spawnGroup } = await import('../../../bootstrap/process/children.ts');
  const main = join(folder, 'src', 'cli', 'main.ts');
  const args = ['--disable-warning=ExperimentalWarning', main, 'deploy', '--env', environment.name, ...more];
  // A signal that came before it is listened to would not end the deployment.
  signal.throwIfAborted();
  const child = spawnGroup(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...config.childEnv,
      ANANTA_STATE_DIR: config.stateRoot,
      ANANTA_ENVIRONMENTS_DIR: config.environmentsDir,
      ANANTA_CACHE_DIR: config.cacheDir,
      NO_COLOR: '1',
    },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text: Buffer) => (said = `${said}${text.toString()}`.slice(-LONGEST_OUTPUT)));
  const onAbort = (): void => {
    if (child.pid !== undefined) killGroup(child.pid);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const ended = await new Promise<string | undefined>((done, fail) => {
      child.once('error', fail);
      child.once('close', (code, killedBy) => {
        done(code === 0 ? undefined : describeExit(code, killedBy));
      });
    });
    signal.throwIfAborted();
    if (ended !== undefined)
      throw failed(`What ${words} deploys did not come up (${ended}), so nothing was rehearsed:\n${said.trimEnd()}`);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const LONGEST_OUTPUT = 3000;
