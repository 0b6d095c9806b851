/** Vault for a backup: its storage as Vault itself gives it out, encrypted, and which versions of secrets are in it. */
import { z } from 'zod';
import { createGunzip } from 'node:zlib';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clients } from '../../clients/index.ts';
import { VaultError, type VaultSession, versionOfKv } from '../../clients/vault/index.ts';
import type { BackedUpVault } from '../../contract/backup.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { VAULT } from '../../contract/names.ts';
import { RECEIPT_PATH } from '../vault/receipt.ts';
import { readTar } from './tar.ts';

const SNAPSHOT_PATH = 'sys/storage/raft/snapshot';
const ATTEMPTS = 3;

/** Newest versions by path; what the deployer notes there about itself is left out. */
export async function pathVersions(session: VaultSession, signal?: AbortSignal): Promise<Record<string, number>> {
  const found: [string, number][] = [];
  const walk = async (folder: string): Promise<void> => {
    const names = await session.list(`${VAULT.kvMount}/metadata/${folder}`, signal);
    await Promise.all(
      names.map(async (name) => {
        const path = `${folder}${name}`;
        if (name.endsWith('/')) await walk(path);
        else if (path !== RECEIPT_PATH) found.push([path, (await versionOfKv(session, path, signal)).version]);
      }),
    );
  };
  await walk('');
  return Object.fromEntries(found.sort(([a], [b]) => a.localeCompare(b)));
}

/** As `pathVersions`, with the deployer's own login. */
export function seenVersions(
  { vault }: Pick<Clients, 'vault'>,
  signal: AbortSignal | undefined,
): Promise<Record<string, number>> {
  return vault.asDeployer((session) => pathVersions(session, signal), signal);
}

export interface TakenSnapshot {
  /** To be read to its end. */
  content: Readable;
  /**
   * What is in it, to be asked when it was read.
   * @throws WrittenMeanwhileError
   */
  about: () => Promise<Omit<BackedUpVault, 'snapshot'>>;
}

/** @throws DeployError where Vault is sealed, or gives out none */
export async function takeSnapshot(
  { vault, environment }: Pick<Clients, 'vault' | 'environment'>,
  signal?: AbortSignal,
): Promise<TakenSnapshot> {
  const paths = await seenVersions({ vault }, signal);
  const content = await vault
    .asDeployer((session) => session.download(SNAPSHOT_PATH, signal), signal)
    .catch((error: unknown) => {
      throw inWords(error, environment.name);
    });
  const about: TakenSnapshot['about'] = async () => {
    const [{ id, version }, after, keys] = await Promise.all([
      vault.health(signal),
      seenVersions({ vault }, signal),
      vault.keys.read(),
    ]);
    if (!isDeepStrictEqual(paths, after)) throw new WrittenMeanwhileError();
    if (id === undefined) throw new DeployError(FAILURES.vaultSealed, 'Vault was sealed while it was backed up.');
    return {
      id,
      version,
      paths,
      ...(keys === undefined ? {} : { threshold: keys.threshold }),
      ...(keys?.encryptedFor === undefined ? {} : { encryptedFor: keys.encryptedFor }),
    };
  };
  return { content, about };
}

/** Somebody wrote a secret while the snapshot was taken: it is not known what is in it. */
export class WrittenMeanwhileError extends DeployError {
  constructor() {
    super(FAILURES.unexpected, 'Secrets were written while the snapshot was taken.');
  }
}

export async function untilNobodyWrites<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof WrittenMeanwhileError) || attempt >= ATTEMPTS) throw error;
    }
  }
}

function inWords(error: unknown, environment: string): unknown {
  if (!(error instanceof VaultError)) return error;
  if (error.status === 403)
    return new DeployError(
      FAILURES.forbidden,
      `Vault does not let the deployer take snapshots yet: its policy is from an earlier version. The next deployment writes it: npm run ananta -- deploy --env ${environment}`,
    );
  if (/raft storage is not in use|unsupported path/i.test(error.message))
    return new DeployError(
      FAILURES.invalidInput,
      "Vault does not keep its data on raft (one server of the publisher's chart keeps files): it gives out no snapshot. Back up its volume, or move the data: vault operator migrate. The records alone: --part records",
    );
  return error;
}

const sumLine = /^([0-9a-f]{64}) {2}(\S+)$/;
const metaSchema = z.object({ Index: z.number(), Term: z.number() });

/**
 * Whether it is a snapshot of raft that holds what its own sums say.
 * @throws Error that says what is wrong
 */
export async function checkSnapshot(snapshot: AsyncIterable<Buffer>): Promise<{ index: number }> {
  const plain = createGunzip();
  // What goes wrong with either is thrown to whoever reads.
  pipeline(Readable.from(snapshot), plain).catch(() => undefined);
  const sums = new Map<string, string>();
  let listed = '';
  let index: number | undefined;
  for await (const { path, content } of readTar(plain as AsyncIterable<Buffer>)) {
    const hash = createHash('sha256');
    const small: Buffer[] = [];
    for await (const chunk of content) {
      hash.update(chunk);
      if (path !== 'state.bin') small.push(chunk);
    }
    sums.set(path, hash.digest('hex'));
    const text = Buffer.concat(small).toString('utf8');
    if (path === 'SHA256SUMS') listed = text;
    if (path === 'meta.json') index = metaSchema.parse(JSON.parse(text)).Index;
  }
  const wanted = listed.split('\n').flatMap((line) => {
    const [, sum, path] = sumLine.exec(line) ?? [];
    return sum === undefined || path === undefined ? [] : [{ sum, path }];
  });
  if (index === undefined || wanted.length === 0) throw new Error("Vault's snapshot in it is none of raft");
  const wrong = wanted.find(({ sum, path }) => sums.get(path) !== sum);
  if (wrong) throw new Error(`Vault's snapshot in it is damaged: ${wrong.path} has another sum than SHA256SUMS says`);
  return { index };
}
