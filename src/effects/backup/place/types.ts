/** Where backups and checkpoints lie, whatever keeps them. */
import type { Readable } from 'node:stream';
import type { Sum } from '../sum.ts';

export interface KeptFile {
  name: string;
  bytes: number;
  /** Milliseconds of the epoch. */
  modified: number;
}

export interface BackupPlace {
  /** For messages. */
  where: string;
  /** Who reaches what lies there: a machine, a claim of the cluster, or everybody with a login (a bucket's address). */
  keeper: string;
  /** As it stands on record. */
  locationOf(name: string): string;
  /**
   * Whole or not at all, and looked at once more: a later failure is the disk's or the store's.
   * @param content begun when there is somebody to take it
   * @returns size and sum of what was written
   */
  write(name: string, content: () => Promise<Readable>, signal?: AbortSignal): Promise<Sum>;
  list(signal?: AbortSignal): Promise<KeptFile[]>;
  /** @returns whether it was there */
  remove(name: string, signal?: AbortSignal): Promise<boolean>;
  /** Removes what killed attempts have left of such files, more than a day ago. @returns how many */
  sweep(isOurs: (name: string) => boolean, signal?: AbortSignal): Promise<number>;
}

/** Longer than any attempt lasts. */
export const LEFT_MILLISECONDS = 24 * 3_600_000;
