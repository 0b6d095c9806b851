/** Layers of files and of whatever a function makes. Debian's packages: debian.ts. */
import { createHash } from 'node:crypto';
import { chown, chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Layer } from './types.ts';

/** One entry of a files layer: a file by its content, a folder, or a symbolic link. */
export type Entry =
  | { path: string; content: string; mode?: number; uid?: number; gid?: number }
  | { path: string; folder: true; mode?: number; uid?: number; gid?: number }
  | { path: string; linkTo: string };

/** Somebody in /etc/passwd. */
export interface User {
  name: string;
  uid: number;
  gid: number;
  home?: string;
}

/** A layer of small files, given as text. Scripts get `mode: 0o755`; owner is root unless said. */
export function files(title: string, entries: readonly Entry[]): Layer {
  return tree({
    title,
    key: JSON.stringify(entries),
    async make(folder) {
      for (const entry of entries) await write(join(folder, entry.path), entry);
    },
  });
}

/**
 * A layer that a function makes: unpacked distributions, compiled programs.
 * @param of.key  everything that decides about the content, e.g. versions and the text of the sources
 * @param of.make fills the folder; the second argument is an empty folder for what is not to stay
 */
export function tree(of: { title: string; key: string; needs?: readonly Layer[]; make: Layer['build'] }): Layer {
  return {
    title: of.title,
    key: `tree ${digestOf(of.title, of.key)}`,
    needs: of.needs ?? [],
    lane: 'other',
    build: of.make,
  };
}

/** /etc/passwd and /etc/group with root, nobody and these. */
export function users(...list: readonly User[]): Entry[] {
  const all: User[] = [
    { name: 'root', uid: 0, gid: 0, home: '/root' },
    ...list,
    { name: 'nobody', uid: 65534, gid: 65534 },
  ];
  const lines = (line: (user: User) => string): string => `${all.map(line).join('\n')}\n`;
  return [
    {
      path: '/etc/passwd',
      content: lines((user) => `${user.name}:x:${user.uid}:${user.gid}::${user.home ?? '/nonexistent'}:/bin/sh`),
    },
    { path: '/etc/group', content: lines((user) => `${user.name}:x:${user.gid}:`) },
  ];
}

export function digestOf(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('hex');
}

async function write(path: string, entry: Entry): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if ('linkTo' in entry) {
    await symlink(entry.linkTo, path);
    return;
  }
  if ('folder' in entry) await mkdir(path, { recursive: true });
  else await writeFile(path, entry.content);
  await chmod(path, entry.mode ?? ('folder' in entry ? 0o755 : 0o644));
  await chown(path, entry.uid ?? 0, entry.gid ?? 0);
}
