import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as tar from 'tar';
import yauzl from 'yauzl';
import type { Release } from './manifest/types.ts';

function isSafeName(name: string): boolean {
  return !isAbsolute(name) && !name.includes('\\') && !name.split('/').includes('..');
}

const PLAIN_FILES: readonly string[] = ['File', 'OldFile', 'ContiguousFile'];

/** The member is unpacked into a folder of its own beside the archive, since tar files hold paths, then moved. */
async function extractFromTar(archive: string, member: string, destination: string): Promise<void> {
  const unpacked = `${archive}.unpacked`;
  await mkdir(unpacked);
  const types: string[] = [];
  const unsafe: string[] = [];
  await tar.extract({
    file: archive,
    cwd: unpacked,
    strict: true,
    noMtime: true,
    filter: (path, entry) => {
      if (!isSafeName(path)) unsafe.push(path);
      const type = 'type' in entry ? entry.type : 'File';
      if (path === member) types.push(type);
      return path === member && unsafe.length === 0 && PLAIN_FILES.includes(type);
    },
  });
  if (unsafe[0] !== undefined)
    throw new Error(`the archive is refused: it holds the path ${JSON.stringify(unsafe[0])}`);
  if (types.length === 0) throw new Error(`the archive holds no ${member}`);
  if (types.some((type) => !PLAIN_FILES.includes(type)))
    throw new Error(`${member} is not a plain file in the archive`);
  await rename(join(unpacked, member), destination);
}

const UNIX_TYPE_MASK = 0o170000;
const UNIX_PLAIN_FILE = 0o100000;

function isPlainFile(entry: yauzl.Entry): boolean {
  const type = (entry.externalFileAttributes >>> 16) & UNIX_TYPE_MASK;
  return type === 0 || type === UNIX_PLAIN_FILE;
}

/** yauzl itself refuses absolute paths and "..", in any member. */
async function extractFromZip(archive: string, member: string, destination: string): Promise<void> {
  const zip = await yauzl.openPromise(archive, { autoClose: false });
  try {
    let found: yauzl.Entry | undefined;
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName === member) found ??= entry;
    }
    if (found === undefined) throw new Error(`the archive holds no ${member}`);
    if (!isPlainFile(found)) throw new Error(`${member} is not a plain file in the archive`);
    await pipeline(await zip.openReadStreamPromise(found), createWriteStream(destination, { mode: 0o700 }));
  } finally {
    zip.close();
  }
}

/**
 * Takes exactly one member out of an archive and writes it to `destination`, which is in the archive's own folder.
 * @throws Error when the member is missing or no plain file, or any member's path leads out of the archive
 */
export async function extractMember(
  archivePath: string,
  archive: Exclude<Release['archive'], { kind: 'none' }>,
  destination: string,
): Promise<void> {
  if (archive.kind === 'zip') await extractFromZip(archivePath, archive.member, destination);
  else await extractFromTar(archivePath, archive.member, destination);
}
