/** Builds images for the tests: every layer once, kept in the cache by what it is made of. */
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { execa } from 'execa';
import PQueue from 'p-queue';
import { z } from 'zod';
import { withLock } from '../../bootstrap/process/lock.ts';
import { sweepLeftovers, withWorkFolder } from '../../bootstrap/tools/workfolder.ts';
import type { Config } from '../../src/config.ts';
import { digestOfFile, packFolder, writeArchive } from './archive.ts';
import type { StoredLayer } from './archive.ts';
import { digestOf } from './layers.ts';
import type { BuildContext, BuiltImages, ImageRecipe, Layer } from './types.ts';

/** Raised when the shape of what is stored changes: everything is built anew. */
const FORMAT = '1';
const storedSchema = z.object({ digest: z.string(), size: z.number() });
const imagesSchema = z.array(z.object({ reference: z.string(), digest: z.string() }));

/**
 * Makes an archive that holds these images, or finds it in the cache. Interrupted, it leaves nothing half; two
 * processes that want the same layer build it once.
 * @param say gets a line for each layer that is built, with its seconds
 */
export async function buildImages(
  config: Pick<Config, 'cacheDir' | 'childEnv'>,
  recipes: readonly ImageRecipe[],
  say: (line: string) => void = () => undefined,
): Promise<BuiltImages> {
  const root = join(config.cacheDir, 'test-images');
  for (const folder of ['layers', 'images', 'locks']) await mkdir(join(root, folder), { recursive: true });
  const layers = [
    ...new Map(
      recipes
        .flatMap((recipe) => recipe.layers)
        .flatMap(withNeeds)
        .map((layer) => [layer.key, layer]),
    ).values(),
  ];
  const archive = join(
    root,
    'images',
    `${digestOf(FORMAT, JSON.stringify(recipes.map(({ layers: own, ...rest }) => [rest, own.map((layer) => layer.key)]))).slice(0, 32)}.tar`,
  );
  if (await exists(archive)) return { archive, images: await readImages(archive) };

  return withLock(
    join(root, 'locks', 'build'),
    { onWait: () => say('another process builds images: waiting for it') },
    async () => {
      if (await exists(archive)) return { archive, images: await readImages(archive) };
      await sweepLeftovers(config.cacheDir);
      const context = contextOf(config, root, say);
      const stored = await buildLayers(layers, config.cacheDir, root, context);
      const images = await withWorkFolder(config.cacheDir, async (work) =>
        writeArchive(
          recipes.map((recipe) => ({ recipe, layers: recipe.layers.map((layer) => found(stored, layer)) })),
          archive,
          work,
          context,
        ),
      );
      await writeWhole(`${archive}.json`, JSON.stringify(images));
      return { archive, images };
    },
  );
}

/** A layer alone, for tests that want a program of it on this machine. @returns path of its tar */
export async function builtLayer(
  config: Pick<Config, 'cacheDir' | 'childEnv'>,
  layer: Layer,
  say: (line: string) => void = () => undefined,
): Promise<string> {
  const root = join(config.cacheDir, 'test-images');
  for (const folder of ['layers', 'locks']) await mkdir(join(root, folder), { recursive: true });
  return withLock(join(root, 'locks', 'build'), {}, async () => {
    const context = contextOf(config, root, say);
    return found(await buildLayers([layer], config.cacheDir, root, context), layer).path;
  });
}

/** Layers one by one in each lane; a layer waits for what it needs, not for its lane's neighbours. */
async function buildLayers(
  layers: readonly Layer[],
  cacheDir: string,
  root: string,
  context: BuildContext,
): Promise<Map<string, StoredLayer>> {
  const lanes = { apt: new PQueue({ concurrency: 1 }), other: new PQueue({ concurrency: 1 }) };
  const started = new Map<string, Promise<StoredLayer>>();
  const start = (layer: Layer): Promise<StoredLayer> => {
    const running =
      started.get(layer.key) ??
      (async () => {
        await Promise.all(layer.needs.map(start));
        return lanes[layer.lane].add(() => buildLayer(layer, cacheDir, root, context));
      })();
    started.set(layer.key, running);
    return running;
  };
  const results = await Promise.allSettled(layers.map(start));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return new Map(await Promise.all([...started].map(async ([key, layer]) => [key, await layer] as const)));
}

async function buildLayer(layer: Layer, cacheDir: string, root: string, context: BuildContext): Promise<StoredLayer> {
  const path = pathOf(root, layer);
  const known = await readFile(`${path}.json`, 'utf8').catch(() => undefined);
  if (known !== undefined) return { path, ...storedSchema.parse(JSON.parse(known)) };
  const since = performance.now();
  return withWorkFolder(cacheDir, async (work) => {
    const folder = join(work, 'layer');
    const leftovers = join(work, 'leftovers');
    await mkdir(folder);
    await mkdir(leftovers);
    await layer.build(folder, leftovers, context).catch((error: unknown) => {
      throw new Error(`the image layer "${layer.title}" could not be built: ${(error as Error).message}`, {
        cause: error,
      });
    });
    const tar = join(work, 'layer.tar');
    await packFolder(folder, tar, context);
    const stored = await digestOfFile(tar);
    await rename(tar, path);
    // Written last: a layer without this file is not complete.
    await writeWhole(`${path}.json`, JSON.stringify(stored));
    context.say(
      `image layer "${layer.title}": ${(stored.size / 1e6).toFixed(0)} MB, ${((performance.now() - since) / 1000).toFixed(0)} s`,
    );
    return { path, ...stored };
  });
}

function contextOf(
  config: Pick<Config, 'cacheDir' | 'childEnv'>,
  root: string,
  say: (line: string) => void,
): BuildContext {
  return {
    cacheDir: config.cacheDir,
    say,
    async run(program, args, options = {}) {
      const done = await execa('nice', ['-n', '10', program, ...args], {
        cwd: options.cwd ?? '/',
        env: { ...config.childEnv, ...options.env },
        extendEnv: false,
        stdin: 'ignore',
        all: true,
        reject: false,
        maxBuffer: 8_000_000,
      });
      if (done.failed)
        throw new Error(
          `${program} ended with ${done.exitCode ?? done.signal ?? done.message}: ${done.all.trim().split('\n').slice(-8).join('\n')}`,
        );
      return done.stdout;
    },
    async unpack(layers, folder) {
      await mkdir(folder, { recursive: true });
      for (const layer of layers)
        await this.run('tar', [
          '--extract',
          '--file',
          pathOf(root, layer),
          '--directory',
          folder,
          '--numeric-owner',
          '--same-owner',
          '--preserve-permissions',
        ]);
    },
  };
}

function withNeeds(layer: Layer): Layer[] {
  return [...layer.needs.flatMap(withNeeds), layer];
}

function pathOf(root: string, layer: Layer): string {
  return join(root, 'layers', `${digestOf(FORMAT, layer.key).slice(0, 32)}.tar`);
}

function found(stored: ReadonlyMap<string, StoredLayer>, layer: Layer): StoredLayer {
  const one = stored.get(layer.key);
  if (one === undefined) throw new Error(`layer "${layer.title}" was not built`);
  return one;
}

async function exists(archive: string): Promise<boolean> {
  return access(`${archive}.json`).then(
    () => true,
    () => false,
  );
}

async function readImages(archive: string): Promise<BuiltImages['images']> {
  return imagesSchema.parse(JSON.parse(await readFile(`${archive}.json`, 'utf8')));
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.${process.pid}.part`, text);
  await rename(`${path}.${process.pid}.part`, path);
}
