import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { tryLock, withLock } from '../process/lock.ts';
import { adviceFor } from './advice.ts';
import { ToolNotNeededError, ToolsUnavailableError } from './errors.ts';
import { GO_MODULES, install } from './install.ts';
import type { Candidate, InstallContext } from './install.ts';
import { goFolder, goLock, toolLock } from './layout.ts';
import { MANIFEST } from './manifest/manifest.ts';
import type { Manifest, ToolSpec } from './manifest/types.ts';
import { DEFAULT_TIMEOUTS, Network } from './network.ts';
import type { NetworkTimeouts } from './network.ts';
import { lookUpOnPath } from './onpath.ts';
import { toolPlatform } from './platform.ts';
import { progressReporter } from './progress.ts';
import { lookUpCached } from './receipts.ts';
import type { InstalledTool, Platform, ToolAttempt, ToolEnvironment, ToolName, ToolProgress } from './types.ts';
import { needsKubernetesAuthPlugin } from './go/vault.ts';
import { sweepLeftovers, withWorkFolder } from './workfolder.ts';

export interface AcquireOptions {
  /** In order of need: downloads and builds are started in this order. */
  names: readonly ToolName[];
  /** Absolute; made if it is missing. */
  cacheDir: string;
  /** Base address of a mirror that is asked instead of the publishers, see `mirrored`. */
  mirror?: string | undefined;
  /** PATH, HOME, proxy and Go settings; nothing is read from anywhere else. */
  env: ToolEnvironment;
  /**
   * For callers that compile more right afterwards: Go's caches are kept, and the caller calls `removeGoCaches` in the
   * end.
   */
  keepCaches?: boolean;
  onProgress?: ((event: ToolProgress) => void) | undefined;
  /** Ends everything that runs for this; the promises reject with its reason. */
  signal?: AbortSignal | undefined;
}

export interface AcquiredTools {
  /**
   * That tool, as soon as it is there.
   * @throws ToolsUnavailableError for this tool; ToolNotNeededError for Vault's Kubernetes auth plugin where Vault has
   * it built in
   */
  get(name: ToolName): Promise<InstalledTool>;
  /**
   * All of them, without those that turned out not to be needed.
   * @throws ToolsUnavailableError for all that could not be had, once every one has ended
   */
  all(): Promise<Map<ToolName, InstalledTool>>;
}

/** Dependencies that tests replace. */
export interface AcquireSetting {
  manifest: Manifest;
  modules: string;
  platform: Platform;
  timeouts: NetworkTimeouts;
}

const DOWNLOADS_AT_ONCE = 6;

/**
 * Gets tools: from the PATH, the cache, the publisher (or a mirror), or by building. Starts at once; each tool has its
 * own promise, so that a component can start when its own tools are there.
 * @throws UnsupportedPlatformError at once, where no tool exists for this machine
 */
export function acquireTools(options: AcquireOptions): AcquiredTools {
  return acquireFrom(
    { manifest: MANIFEST, modules: GO_MODULES, platform: toolPlatform(), timeouts: DEFAULT_TIMEOUTS },
    options,
  );
}

/** As `acquireTools`, with all of its dependencies passed in. */
export function acquireFrom(setting: AcquireSetting, options: AcquireOptions): AcquiredTools {
  const { cacheDir, env, mirror, signal } = options;
  const context: InstallContext = {
    cacheDir,
    platform: setting.platform,
    mirror,
    env,
    modules: setting.modules,
    signal,
    network: new Network(env, setting.timeouts),
    downloads: new PQueue({ concurrency: DOWNLOADS_AT_ONCE }),
    builds: new PQueue({ concurrency: 1, autoStart: false }),
    report: progressReporter(options.onProgress),
    built: false,
  };
  const swept = sweepLeftovers(cacheDir);
  const decisions: Promise<undefined>[] = [];
  const tools = new Map<ToolName, Promise<InstalledTool>>();
  for (const [rank, name] of [...new Set(options.names)].entries()) {
    const spec = setting.manifest[name];
    if (spec === undefined) throw new Error(`the manifest has no tool ${name}`);
    const { promise: decision, resolve } = Promise.withResolvers<undefined>();
    const decided = (): void => resolve(undefined);
    decisions.push(decision);
    const candidate: Candidate = { spec, rank, attempts: [], decided };
    const tool = acquireOne(context, candidate, swept, () => tools.get('vault')).finally(decided);
    // A caller may wait for one tool only: a failure of the others must not end the process as an unhandled rejection.
    tool.catch(() => undefined);
    tools.set(name, tool);
  }
  // Builds start once it is known which tools need one, so that the tool that is needed first is built first.
  void Promise.all(decisions).then(() => context.builds.start());
  const everything = collect(context, setting.manifest, tools);
  const needsMore = Object.values(setting.manifest).some(({ name, optional }) => optional !== true && !tools.has(name));
  everything
    .then(() => (context.built && !needsMore && options.keepCaches !== true ? removeGoCaches(cacheDir) : undefined))
    .catch(() => undefined);
  return {
    get: (name) => tools.get(name) ?? Promise.reject(new Error(`${name} was not among the tools asked for`)),
    all: () => everything,
  };
}

async function acquireOne(
  context: InstallContext,
  candidate: Candidate,
  swept: Promise<void>,
  vault: () => Promise<InstalledTool> | undefined,
): Promise<InstalledTool> {
  const { cacheDir, platform, signal, report } = context;
  const { spec, attempts, decided } = candidate;
  signal?.throwIfAborted();
  await swept;
  if (spec.name === 'vault-plugin-auth-kubernetes') {
    decided();
    await refuseIfBuiltIn(spec, vault());
  }
  const found = (await lookUp(context, spec, attempts)) ?? (await installLocked());
  if (found === undefined) {
    report(spec, 'failed', { detail: attempts.at(-1)?.outcome ?? '' });
    throw new ToolsUnavailableError(attempts, await adviceFor([spec], context));
  }
  report({ name: spec.name, version: found.version }, 'ready', { detail: describeSource(found) });
  return found;

  async function installLocked(): Promise<InstalledTool | undefined> {
    const onWait = ({ pid }: { pid: number }): void => {
      decided();
      report(spec, 'waiting', { detail: `for process ${pid}, which installs it` });
    };
    return withLock(toolLock(cacheDir, spec, platform), { onWait, signal }, async () => {
      const again = await lookUpCached(cacheDir, spec, platform);
      if (again.state === 'found') return again.tool;
      return install(context, candidate);
    });
  }
}

async function lookUp(
  context: InstallContext,
  spec: ToolSpec,
  attempts: ToolAttempt[],
): Promise<InstalledTool | undefined> {
  const { cacheDir, platform, env, report } = context;
  report(spec, 'looking');
  const onPath = await lookUpOnPath(spec, cacheDir, env);
  if (onPath.tool !== undefined) return onPath.tool;
  attempts.push({ tool: spec.name, way: 'path', outcome: onPath.why });
  const cached = await lookUpCached(cacheDir, spec, platform);
  if (cached.state === 'found') return cached.tool;
  attempts.push({
    tool: spec.name,
    way: 'cache',
    outcome: cached.state === 'absent' ? 'not there' : `not used: ${cached.why}`,
  });
  return undefined;
}

async function refuseIfBuiltIn(spec: ToolSpec, vault: Promise<InstalledTool> | undefined): Promise<void> {
  // Without a Vault nothing is known; the plugin is then treated as needed, and both failures are reported.
  const found = await vault?.catch(() => undefined);
  if (found === undefined || (await needsKubernetesAuthPlugin(found))) return;
  throw new ToolNotNeededError(`${spec.name} is not needed: ${found.path} has the method built in`);
}

function describeSource({ source, path }: InstalledTool): string {
  const words = { path: 'found on the PATH', cache: 'cached', release: 'downloaded', build: 'built' };
  return `${words[source]}, ${path}`;
}

async function collect(
  context: InstallContext,
  manifest: Manifest,
  tools: ReadonlyMap<ToolName, Promise<InstalledTool>>,
): Promise<Map<ToolName, InstalledTool>> {
  await Promise.allSettled(tools.values());
  const found = new Map<ToolName, InstalledTool>();
  const unavailable: ToolsUnavailableError[] = [];
  for (const [name, tool] of tools) {
    try {
      found.set(name, await tool);
    } catch (error) {
      if (error instanceof ToolsUnavailableError) unavailable.push(error);
      else if (!(error instanceof ToolNotNeededError)) throw error;
    }
  }
  if (unavailable.length > 0) {
    const specs = unavailable.flatMap((error) => error.tools).flatMap((name) => manifest[name] ?? []);
    const attempts = unavailable.flatMap((error) => error.attempts);
    throw new ToolsUnavailableError(attempts, await adviceFor(specs, context));
  }
  return found;
}

/**
 * Removes Go's caches, which are many times larger than the programs and of no use once everything is compiled. Nothing
 * is removed while another process uses them.
 */
export async function removeGoCaches(cacheDir: string): Promise<void> {
  const lock = await tryLock(goLock(cacheDir));
  if (!lock.held) return;
  await withWorkFolder(cacheDir, async (folder) => {
    // None: nothing was ever compiled.
    await rename(goFolder(cacheDir), join(folder, 'go'))
      .catch(() => undefined)
      // oxlint-disable-next-line typescript/no-misused-promises -- what it returns is waited for
      .finally(() => lock.lock.release());
  });
}
