/** Layers as tars, images as an archive in OCI layout. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ARCHITECTURE } from './debian.ts';
import type { BuildContext, ImageRecipe } from './types.ts';

/** A layer in the cache. */
export interface StoredLayer {
  path: string;
  /** `sha256:…` of the tar, which is not compressed: that is its diff id, too. */
  digest: string;
  size: number;
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
}

/** The same time for every file, so that the same content gives the same digest. */
const EPOCH = '2026-01-01T00:00:00Z';

/** Packs a folder; order and times are fixed, owners and modes as they are. */
export async function packFolder(folder: string, target: string, context: BuildContext): Promise<void> {
  await context.run('tar', [
    '--create',
    '--file',
    target,
    '--directory',
    folder,
    '--sort=name',
    `--mtime=${EPOCH}`,
    '--numeric-owner',
    '--format=gnu',
    '.',
  ]);
}

/** @returns digest and size of a file, `sha256:` in front */
export async function digestOfFile(path: string): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return { digest: `sha256:${hash.digest('hex')}`, size: (await stat(path)).size };
}

/**
 * Writes the archive of some images. It appears whole or not at all.
 * @param images each with its layers from the cache, lowest first
 * @returns every reference with the digest of its manifest
 */
export async function writeArchive(
  images: readonly { recipe: ImageRecipe; layers: readonly StoredLayer[] }[],
  target: string,
  work: string,
  context: BuildContext,
): Promise<{ reference: string; digest: string }[]> {
  const blobs = join(work, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const manifests: Descriptor[] = [];
  for (const { recipe, layers } of images) {
    for (const layer of layers) await link(layer.path, join(blobs, hex(layer.digest))).catch(ignoreExisting);
    const config = await writeBlob(blobs, 'application/vnd.oci.image.config.v1+json', imageConfig(recipe, layers));
    const manifest = await writeBlob(blobs, 'application/vnd.oci.image.manifest.v1+json', {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config,
      layers: layers.map(({ digest, size }) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size })),
    });
    for (const reference of recipe.references)
      manifests.push({
        ...manifest,
        annotations: {
          'io.containerd.image.name': reference,
          'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
        },
      });
  }
  await writeFile(join(work, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(join(work, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  const part = `${target}.${process.pid}.part`;
  await context.run('tar', [
    '--create',
    '--file',
    part,
    '--directory',
    work,
    '--sort=name',
    `--mtime=${EPOCH}`,
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--format=gnu',
    'oci-layout',
    'index.json',
    'blobs',
  ]);
  await rename(part, target);
  return manifests.map((manifest) => ({
    reference: manifest.annotations?.['io.containerd.image.name'] ?? '',
    digest: manifest.digest,
  }));
}

/** The image's configuration, as the OCI image specification has it. */
export function imageConfig(recipe: ImageRecipe, layers: readonly StoredLayer[]): unknown {
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...recipe.env };
  return {
    created: EPOCH,
    architecture: ARCHITECTURE,
    os: 'linux',
    config: {
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      WorkingDir: recipe.workdir ?? '/',
      ...(recipe.user === undefined ? {} : { User: recipe.user }),
      ...(recipe.entrypoint === undefined ? {} : { Entrypoint: recipe.entrypoint }),
      ...(recipe.cmd === undefined ? {} : { Cmd: recipe.cmd }),
      ...(recipe.stopSignal === undefined ? {} : { StopSignal: recipe.stopSignal }),
      ...(recipe.ports === undefined
        ? {}
        : { ExposedPorts: Object.fromEntries(recipe.ports.map((port) => [`${port}/tcp`, {}])) }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
  };
}

async function writeBlob(blobs: string, mediaType: string, content: unknown): Promise<Descriptor> {
  const text = JSON.stringify(content);
  const digest = createHash('sha256').update(text).digest('hex');
  await writeFile(join(blobs, digest), text);
  return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
}

function hex(digest: string): string {
  return digest.slice('sha256:'.length);
}

function ignoreExisting(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
}
