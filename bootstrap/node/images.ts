/** Images of the real node that come from files, where no registry is in reach. */
import { join } from 'node:path';
import { CONTAINERD_SOCKET, type NodeLayout, nodeLayout } from './layout.ts';
import { inNode } from './machine.ts';
import { PAUSE_IMAGE, writePauseImage } from './pause.ts';
import type { Layout } from '../layout.ts';

const NAMESPACE = 'k8s.io';
const IMPORT_WITHIN_MS = 600_000;

function ctr(layout: NodeLayout, args: readonly string[]): Promise<string> {
  return inNode(layout, 'ctr', ['--address', CONTAINERD_SOCKET, '--namespace', NAMESPACE, ...args], {
    timeoutMs: IMPORT_WITHIN_MS,
  });
}

/**
 * Hands image archives (`docker save`, or OCI layouts as tar) to the running node, under the names that stand in them.
 * Safe to repeat: content that is there is not copied again.
 * @param files absolute paths
 * @returns names of the images that came with them
 * @throws Error with what containerd said
 */
export async function importImages(layout: Pick<Layout, 'root' | 'run'>, files: readonly string[]): Promise<string[]> {
  const node = nodeLayout(layout);
  const names: string[] = [];
  for (const file of files) {
    const said = await ctr(node, ['images', 'import', file]);
    names.push(...[...said.matchAll(/^unpacking (\S+) /gm)].map(([, name]) => name as string));
  }
  return names;
}

/** Names of all images of the running node. */
export async function listImages(layout: Pick<Layout, 'root' | 'run'>): Promise<string[]> {
  const said = await ctr(nodeLayout(layout), ['images', 'list', '--quiet']);
  return said
    .split('\n')
    .filter((name) => name !== '' && !name.startsWith('sha256:'))
    .sort();
}

/** The one image that every pod needs. */
export async function ensurePauseImage(layout: Pick<Layout, 'root' | 'run'>): Promise<void> {
  if ((await listImages(layout)).includes(PAUSE_IMAGE)) return;
  const archive = join(nodeLayout(layout).config, 'pause.tar');
  await writePauseImage(archive);
  await importImages(layout, [archive]);
}
