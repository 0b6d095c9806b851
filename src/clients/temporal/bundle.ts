/**
 * The workflow bundle, made once per version of the workflow code: webpack costs seconds at every worker start
 * otherwise. Bundles of older versions are kept: what they have begun ends under them.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const unzip = promisify(gunzip);

/** Where the workflow code begins: what it imports, and what that imports, is all there is in the bundle. */
const ENTRY = 'src/workflows/index.ts';
/** `import … from`, `export … from`, `import '…'` of a file of ours; what is imported as a type alone is no code. */
const IMPORTS = /^(?:import|export)(?! type\b)[^'"]*['"](\.{1,2}\/[^'"]+)['"]/gm;

const SDK_VERSION = (createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string }).version;

export interface WorkflowBuild {
  /** Digest of the workflow code and the SDK's version: the same wherever the checkout lies. */
  buildId: string;
  /** The bundle. */
  path: string;
}

/** Where the failure converter of encrypted environments is, for the worker's own half of it. */
export function encryptedFailuresPath(repoRoot: string): string {
  return join(repoRoot, ENCRYPTED_FAILURES);
}

/** Of the SDK's plug-in for OpenTelemetry: with it workflows make spans and hand their context on. */
const TRACED = '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors';

export interface BundleOptions {
  /** With spans: another bundle, and another version, since it begins things in another order. */
  traced?: boolean;
  /** Words of failures are payloads: another bundle, and another version, since that is workflow code. */
  encrypted?: boolean;
}

const ENCRYPTED_FAILURES = 'src/workflows/encrypted-failures.ts';

/**
 * The workflow code as it is now.
 * @param repoRoot may bring the bundle in its folder `bundles`, as the container image does
 */
export async function workflowBuild(
  repoRoot: string,
  cacheDir: string,
  { traced = false, encrypted = false }: BundleOptions = {},
): Promise<WorkflowBuild> {
  const buildId = await sourceDigest(repoRoot, { traced, encrypted });
  const brought = join(folderOf(repoRoot), fileOf(buildId));
  if (await exists(brought)) return { buildId, path: brought };
  const folder = folderOf(cacheDir);
  const path = join(folder, fileOf(buildId));
  if (await exists(path)) return { buildId, path };
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(repoRoot, ENTRY),
    ...(traced ? { workflowInterceptorModules: [createRequire(import.meta.url).resolve(TRACED)] } : {}),
    ...(encrypted ? { failureConverterPath: join(repoRoot, ENCRYPTED_FAILURES) } : {}),
    logger: {
      log: ignore,
      trace: ignore,
      debug: ignore,
      info: ignore,
      warn: (message) => {
        process.stderr.write(`${message}\n`);
      },
      error: (message) => {
        process.stderr.write(`${message}\n`);
      },
    },
  });
  await mkdir(folder, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, withoutSources(code));
  await rename(temporary, path);
  await removeOldBundles(folder, path);
  return { buildId, path };
}

/**
 * @param keptDir folder with compressed bundles of versions that were installed before, where there is one
 * @returns the bundle of another version, if it was made on this machine or is kept, and for this SDK
 */
export async function olderBundle(buildId: string, cacheDir: string, keptDir?: string): Promise<string | undefined> {
  const path = join(folderOf(cacheDir), fileOf(buildId));
  if (await exists(path)) return path;
  const packed =
    keptDir === undefined ? undefined : await readFile(join(keptDir, `${fileOf(buildId)}.gz`)).catch(() => undefined);
  if (packed === undefined) return undefined;
  await mkdir(folderOf(cacheDir), { recursive: true });
  await writeFile(`${path}.${process.pid}`, await unzip(packed));
  await rename(`${path}.${process.pid}`, path);
  return path;
}

function folderOf(cacheDir: string): string {
  return join(cacheDir, 'bundles');
}

/** A bundle contains the SDK's workflow library, which has to be of the same version as the worker's. */
function fileOf(buildId: string): string {
  return `workflows-${buildId}.sdk-${SDK_VERSION}.js`;
}

const SOURCE_MAP = /^(\/\/# sourceMappingURL=data:application\/json;(?:charset=utf-8;)?base64,)([A-Za-z0-9+/=]+)\s*$/m;

/**
 * Stack traces need the places in the sources, not the sources themselves, which are half of a bundle: with them it
 * would not fit the ConfigMap in which the cluster keeps it.
 */
function withoutSources(code: string): string {
  return code.replace(SOURCE_MAP, (_line, head: string, encoded: string) => {
    const { sourcesContent: _, ...map } = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as {
      sourcesContent?: unknown;
    };
    return `${head}${Buffer.from(JSON.stringify(map)).toString('base64')}`;
  });
}

const ignore = (): void => undefined;

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

/** Over the files that are in the bundle and no others: what only commands use makes no new version. */
async function sourceDigest(repoRoot: string, { traced, encrypted }: BundleOptions): Promise<string> {
  const hash = createHash('sha256');
  hash.update(SDK_VERSION);
  if (traced) hash.update(TRACED);
  if (encrypted) hash.update(await readFile(join(repoRoot, ENCRYPTED_FAILURES)));
  const sources = await workflowSources(repoRoot);
  for (const file of [...sources.keys()].sort()) hash.update(file).update(sources.get(file) ?? '');
  return hash.digest('hex').slice(0, 16);
}

/** @returns the files of the workflow code by path in the repository, each with its content */
export async function workflowSources(repoRoot: string): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  const read = async (file: string): Promise<void> => {
    if (sources.has(file)) return;
    sources.set(file, '');
    const content = await readFile(join(repoRoot, file), 'utf8');
    sources.set(file, content);
    for (const [, imported = ''] of content.matchAll(IMPORTS)) await read(posix.join(posix.dirname(file), imported));
  };
  await read(ENTRY);
  return sources;
}

/**
 * Keeps the newest few: a worker of an older checkout may still want its own. What a process that died left goes, too.
 */
export async function removeOldBundles(folder: string, current: string): Promise<void> {
  const files = await Promise.all(
    (await readdir(folder))
      .filter((name) => name.startsWith('workflows-'))
      .map(async (name) => {
        const path = join(folder, name);
        // Another process may have given it its name in between, or have removed it.
        const found = await stat(path).catch(() => undefined);
        return found === undefined ? [] : [{ path, time: found.mtimeMs }];
      }),
  );
  for (const { path } of files
    .flat()
    .sort((a, b) => b.time - a.time)
    .slice(8))
    if (path !== current) await rm(path, { force: true });
}
