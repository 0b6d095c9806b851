/**
 * A backup as a file: a tar, encrypted with age, its manifest last. `age --decrypt -i KEY FILE | tar x` reads it
 * without any of this.
 */
import type { Readable } from 'node:stream';
import { AnantaError } from '../../contract/errors.ts';
import { type BackupManifest, backupManifestSchema, type KeptObject, keptObjectSchema } from '../../contract/backup.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';
import { tryJson } from '../../try-json.ts';
import { decrypted, encrypted } from './age.ts';
import type { BackupPlace } from './place/index.ts';
import { type KeptSource, sourceOf } from './place/source.ts';
import { counted, runningSum, type Sum, sumOf } from './sum.ts';
import { readTar, tarOf, type WrittenEntry } from './tar.ts';

export const MANIFEST = 'manifest.json';
export const SHARES = 'vault/shares.json';
const SNAPSHOT = 'vault/raft.snap.';
/** Of each entry but the last. */
const PART_BYTES = 4 * 1024 * 1024;

/** The file is no whole backup: damaged, cut off, or something else. */
export class DamagedBackupError extends AnantaError {
  override name = 'DamagedBackupError';
  override readonly type = FAILURES.damagedRecord;
  override readonly exitCode = EXIT_CODES.refused;
}

export interface BackupContent {
  manifest: BackupManifest;
  records: KeptObject[];
  /** Shares of Vault's unseal key, each encrypted to a person; absent where they are not. */
  shares?: string;
}

export function recordPath(name: string): string {
  return `records/${name}.json`;
}

/** One behind the other they are what came in. */
export async function* snapshotEntries(snapshot: AsyncIterable<Uint8Array>): AsyncGenerator<WrittenEntry> {
  let number = 0;
  let waiting: Uint8Array[] = [];
  let size = 0;
  const entry = (): WrittenEntry => {
    const content = Buffer.concat(waiting);
    waiting = [];
    size = 0;
    number += 1;
    return { path: `${SNAPSHOT}${String(number).padStart(5, '0')}`, content };
  };
  for await (const chunk of snapshot) {
    size += chunk.length;
    waiting.push(chunk);
    if (size >= PART_BYTES) yield entry();
  }
  if (size > 0) yield entry();
}

export interface EncryptedFile {
  place: BackupPlace;
  name: string;
  recipients: readonly string[];
  signal?: AbortSignal | undefined;
}

/** @returns size and sum of the file */
export function writeArchive(file: EncryptedFile, entries: AsyncIterable<WrittenEntry>, at: Date): Promise<Sum> {
  return writeEncrypted(file, () => tarOf(entries, at));
}

/**
 * Whole or not at all.
 * @returns size and sum of the file
 */
export function writeEncrypted(
  { place, name, recipients, signal }: EncryptedFile,
  plain: () => Readable,
): Promise<Sum> {
  return place.write(name, () => encrypted(plain(), recipients), signal);
}

/**
 * Reads the file to its end and compares every sum.
 * @param onSnapshot given Vault's snapshot, piece by piece; has to read it to its end
 * @throws DamagedBackupError, IdentityError
 */
export async function readArchive(
  file: string | KeptSource,
  identities: readonly string[],
  onSnapshot: (snapshot: AsyncIterable<Buffer>) => Promise<void> = drain,
): Promise<BackupContent> {
  const source = sourceOf(file);
  const path = source.location;
  const texts = new Map<string, string>();
  let snapshot: Sum | undefined;
  try {
    const entries = readTar(await decrypted(await source.open(), identities));
    let next = await entries.next();
    while (!next.done) {
      if (!next.value.path.startsWith(SNAPSHOT)) {
        texts.set(next.value.path, await textOf(next.value.content));
        next = await entries.next();
        continue;
      }
      const parts = (async function* () {
        for (; !next.done && next.value.path.startsWith(SNAPSHOT); next = await entries.next())
          yield* next.value.content;
      })();
      const running = runningSum();
      await onSnapshot(counted(parts, running));
      snapshot = running.total();
    }
  } catch (error) {
    // The file was read before it is put back: then it is whoever takes the snapshot that fails.
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new DamagedBackupError(`There is no file ${path}.`);
    if (onSnapshot !== drain || error instanceof AnantaError) throw error;
    throw new DamagedBackupError(`${path} is no whole backup: ${message}`);
  }
  return checked(path, texts, snapshot);
}

function checked(path: string, texts: ReadonlyMap<string, string>, snapshot: Sum | undefined): BackupContent {
  const damaged = (what: string): DamagedBackupError => new DamagedBackupError(`${path} is no whole backup: ${what}`);
  const parsed = backupManifestSchema.safeParse(tryJson(texts.get(MANIFEST) ?? ''));
  if (!parsed.success) throw damaged(`it has no ${MANIFEST} that this version reads`);
  const manifest = parsed.data;
  const wanted = manifest.vault?.snapshot;
  if (wanted?.sha256 !== snapshot?.sha256 || wanted?.bytes !== snapshot?.bytes)
    throw damaged("Vault's snapshot in it is not the one that its manifest names");
  const records = (manifest.records ?? []).map(({ name, sha256 }): KeptObject => {
    const text = texts.get(recordPath(name));
    if (text === undefined || sumOf(text).sha256 !== sha256) throw damaged(`the record ${name} is missing or changed`);
    return keptObjectSchema.parse(JSON.parse(text));
  });
  const shares = texts.get(SHARES);
  return { manifest, records, ...(shares === undefined ? {} : { shares }) };
}

async function textOf(content: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function drain(content: AsyncIterable<Buffer>): Promise<void> {
  for await (const _chunk of content);
}
