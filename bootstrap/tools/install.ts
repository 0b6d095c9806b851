import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type PQueue from 'p-queue';
import { withLock } from '../process/lock.ts';
import { describeError } from './errors.ts';
import { ModuleProxyError, buildWithGo, findGo } from './go/build.ts';
import type { GoToolchain } from './go/build.ts';
import { goLock } from './layout.ts';
import type { Release, ToolSpec } from './manifest/types.ts';
import type { Network } from './network.ts';
import type { Report } from './progress.ts';
import { installProgram } from './receipts.ts';
import type { NewProgram } from './receipts.ts';
import { fetchRelease } from './release.ts';
import type { InstalledTool, Platform, ToolAttempt, ToolEnvironment } from './types.ts';
import { askVersion } from './manifest/versions.ts';
import { withWorkFolder } from './workfolder.ts';

/** State that all installations of one run share. */
export interface InstallContext {
  cacheDir: string;
  platform: Platform;
  mirror: string | undefined;
  env: ToolEnvironment;
  /** The folder with one Go module per family. */
  modules: string;
  signal: AbortSignal | undefined;
  network: Network;
  downloads: PQueue;
  /** One at a time: Go uses all processors by itself. */
  builds: PQueue;
  report: Report;
  /** Looked for once per run. */
  go?: Promise<GoToolchain>;
  /** Set once the module proxy proved unreachable. */
  proxyTrouble?: string;
  /** Whether anything was built in this run. */
  built: boolean;
}

/** A tool that is being installed. */
export interface Candidate {
  spec: ToolSpec;
  /** Tools are built in this order: 0 is needed first. */
  rank: number;
  attempts: ToolAttempt[];
  /** To be called as soon as it is clear whether this tool may have to be built. */
  decided: () => void;
}

function priority(rank: number): { priority: number } {
  return { priority: -rank };
}

async function fromRelease(
  context: InstallContext,
  { spec, rank, decided }: Candidate,
  release: Release,
  folder: string,
): Promise<NewProgram> {
  const { network, mirror, signal, report, downloads } = context;
  return downloads.add(
    () =>
      fetchRelease(release, folder, {
        network,
        mirror,
        signal,
        onProgress: ({ stage, ...more }) => {
          if (more.bytes !== undefined) decided();
          report(spec, stage, more);
        },
      }),
    priority(rank),
  );
}

/**
 * What the largest build adds to Go's caches, roughly; all of them together take four times that until they are done.
 */
const BUILD_BYTES = 4e9;

async function checkSpace(cacheDir: string): Promise<void> {
  const { bavail, bsize } = await statfs(cacheDir);
  const free = bavail * bsize;
  if (free >= BUILD_BYTES) return;
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
  throw new Error(`only ${gigabytes(free)} GB are free in ${cacheDir}, a build may need ${gigabytes(BUILD_BYTES)} GB`);
}

async function fromSource(
  context: InstallContext,
  { spec, rank, decided }: Candidate,
  folder: string,
): Promise<NewProgram> {
  const { cacheDir, platform, env, modules, signal, report, builds } = context;
  context.go ??= findGo(cacheDir, env);
  const go = await context.go;
  if (builds.isPaused || builds.pending > 0)
    report(spec, 'waiting', { detail: 'to be built from source, after others' });
  const build = builds.add(async () => {
    if (context.proxyTrouble !== undefined) throw new Error(`not tried again: ${context.proxyTrouble}`);
    const onWait = ({ pid }: { pid: number }): void => {
      report(spec, 'waiting', { detail: `for process ${pid}, which builds something else` });
    };
    return withLock(goLock(cacheDir), { onWait, signal }, async () => {
      await checkSpace(cacheDir);
      report(spec, 'building', { detail: `from source with Go ${go.version}` });
      const onProgress = (detail: string): void => {
        report(spec, 'building', { detail });
      };
      try {
        const program = await buildWithGo(go, spec, platform, folder, { modules, cacheDir, env, signal, onProgress });
        context.built = true;
        return program;
      } catch (error) {
        if (error instanceof ModuleProxyError) context.proxyTrouble = error.message;
        throw error;
      }
    });
  }, priority(rank));
  // Only now: the queue must not start before what is needed first stands in it.
  decided();
  return build;
}

/** A program that answers with the pinned version; nothing else gets into the cache. */
async function checkRuns({ spec }: Candidate, program: NewProgram, env: ToolEnvironment): Promise<void> {
  if (spec.versionQuery === undefined) return;
  const version = await askVersion(program.path, spec.versionQuery, env).catch((error: unknown) => {
    throw new Error(`what came from ${program.origin} ${describeError(error)}`);
  });
  if (version !== spec.version)
    throw new Error(`what came from ${program.origin} is version ${version}, not ${spec.version}`);
}

/**
 * Tries the release, then the build; the caller holds the tool's lock.
 * @returns undefined when neither worked: the attempts then say why
 * @throws only the signal's reason
 */
export async function install(context: InstallContext, candidate: Candidate): Promise<InstalledTool | undefined> {
  const { cacheDir, platform, mirror, env, signal } = context;
  const { spec, attempts } = candidate;
  const release = spec.releases[platform];
  const releaseWay = mirror === undefined ? 'release' : 'mirror';
  const ways: { way: ToolAttempt['way']; get: (folder: string) => Promise<NewProgram> }[] = [];
  if ('url' in release)
    ways.push({ way: releaseWay, get: (folder) => fromRelease(context, candidate, release, folder) });
  else attempts.push({ tool: spec.name, way: releaseWay, outcome: `none for ${platform}: ${release.unavailable}` });
  ways.push({ way: 'build', get: (folder) => fromSource(context, candidate, folder) });

  for (const { way, get } of ways) {
    try {
      return await withWorkFolder(cacheDir, async (folder) => {
        const program = await get(folder);
        await checkRuns(candidate, program, env);
        return installProgram(cacheDir, spec, platform, folder, program);
      });
    } catch (error) {
      signal?.throwIfAborted();
      attempts.push({ tool: spec.name, way, outcome: describeError(error) });
    }
  }
  return undefined;
}

/** The committed Go modules of this checkout. */
export const GO_MODULES = join(import.meta.dirname, 'gomod');
