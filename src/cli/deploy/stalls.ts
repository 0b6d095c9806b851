/** Says, while an operation is watched, that nobody works on it, and when somebody does again. */
import type { LockHolder } from '../../contract/lock.ts';
import { pause } from '../shared/pause.ts';

export interface StallWatch {
  /** Who holds the lock now; undefined when nobody does. */
  holder: () => Promise<LockHolder | undefined>;
  /** The run that is watched: other runs are not reported. */
  runId: string;
  /** Milliseconds since the operation was last seen to move. */
  quietFor: () => number;
  /** What a person should know about a holder that does not move; nothing while it does. */
  describe: (holder: LockHolder) => string[];
  say: (line: string) => void;
  signal: AbortSignal;
  /** Milliseconds between two looks. */
  everyMs?: number;
}

/** An operation whose services start reports at least as often; the engine is not asked while it does. */
const QUIET_MS = 15_000;
const EVERY_MS = 10_000;

/** Ends with the signal; never throws, since it only adds to the picture. */
export async function watchStalls(watch: StallWatch): Promise<void> {
  const { holder, runId, quietFor, describe, say, signal, everyMs = EVERY_MS } = watch;
  let told = false;
  while (await pause(everyMs, signal)) {
    const quiet = quietFor() >= QUIET_MS;
    const found = quiet ? await holder().catch(() => undefined) : undefined;
    // Of an engine that does not answer nothing is known.
    if (quiet && found === undefined) continue;
    const lines = found?.runId === runId ? describe(found) : [];
    if (lines.length > 0 && !told) for (const line of lines) say(line);
    if (lines.length === 0 && told) say('It moves again.');
    told = lines.length > 0;
  }
}
