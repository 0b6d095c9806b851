/**
 * What becomes of a release that somebody may be working on, or has left half done: by what is known of it one thing is
 * done, or one more thing is asked, until nothing is left to do. Pure; explored in every order in
 * test/properties/recovery.test.ts.
 */

/** Helm's newest record of the release, as far as it decides. */
export interface SeenRevision {
  status: string;
  /** That wrote it; undefined: nobody of ours. */
  run: string | undefined;
  /** Of what it was made from. */
  digest: string | undefined;
}

export interface SeenHelm {
  run: string;
  /** Whoever started it. */
  worker: 'lives' | 'gone';
}

/** All that is known; what is undefined has not been asked, or is not there. */
export interface Seen {
  revision: SeenRevision | undefined;
  /** At work on the release, by this worker's own records. */
  helm: SeenHelm | undefined;
  /** A Helm of these records has come to its end meanwhile. */
  ended: boolean;
  /** Whether the run that wrote the revision is at work. */
  runAlive?: boolean;
  /**
   * Of the revision's Helm, by whoever the revision says owns it: `none` runs on the machine, it runs there, its end
   * was brought about, or the machine cannot be looked at from here.
   */
  owner?: 'none' | SeenHelm | 'ended' | 'unknown';
  /** So old that its Helm has ended, wherever it ran. */
  overdue?: boolean;
}

export interface Wanted {
  run: string;
  /** The run that this one takes back: its steps have ended. */
  undoes: string | undefined;
  digest: string;
  /** A Helm without a worker that applies what is wanted may finish. */
  letFinish: boolean;
}

export type Next =
  | { do: 'ask'; what: 'run' | 'owner' | 'age' }
  /** Somebody may be at work on it. */
  | { do: 'wait'; why: 'helm' | 'owners-helm' | 'somebodys' | 'run' | 'out-of-sight' }
  /** The Helm that was found comes to its own end, or is ended. */
  | { do: 'let-finish' | 'end'; whose: 'ours' | 'owners' }
  /** Of the unfinished revision, or of this step's own failed one. */
  | { do: 'remove-record' }
  | { do: 'nothing' };

/** Nothing is touched before it is proved that nobody works on it any more. */
export function nextOf(seen: Seen, wanted: Wanted): Next {
  const { revision, helm } = seen;
  if (helm !== undefined) return ended(helm, 'ours', seen, wanted);
  if (!isUnfinished(revision)) return isOwnAttempt(revision, wanted) ? { do: 'remove-record' } : { do: 'nothing' };
  if (seen.owner === 'ended') return { do: 'remove-record' };
  if (revision.run === undefined) return { do: 'wait', why: 'somebodys' };
  // The steps of a run that is taken back have ended: it waits for this one, and not the other way round.
  if (revision.run !== wanted.run && revision.run !== wanted.undoes) {
    if (seen.runAlive === undefined) return { do: 'ask', what: 'run' };
    if (seen.runAlive) return { do: 'wait', why: 'run' };
  }
  if (seen.ended) return { do: 'remove-record' };
  if (seen.owner === undefined) return { do: 'ask', what: 'owner' };
  if (seen.owner === 'none') return { do: 'remove-record' };
  if (seen.owner !== 'unknown') return ended(seen.owner, 'owners', seen, wanted);
  if (seen.overdue === undefined) return { do: 'ask', what: 'age' };
  return seen.overdue ? { do: 'remove-record' } : { do: 'wait', why: 'out-of-sight' };
}

function ended(helm: SeenHelm, whose: 'ours' | 'owners', { revision }: Seen, wanted: Wanted): Next {
  if (helm.worker === 'lives') return { do: 'wait', why: whose === 'ours' ? 'helm' : 'owners-helm' };
  const isWanted =
    wanted.letFinish && (helm.run === wanted.run || (isUnfinished(revision) && revision.digest === wanted.digest));
  return { do: isWanted ? 'let-finish' : 'end', whose };
}

export function isUnfinished<T extends Pick<SeenRevision, 'status'>>(revision: T | undefined): revision is T {
  return revision?.status.startsWith('pending-') === true;
}

/**
 * An attempt of this very step that ended as failed: the next one takes its number, so that a run leaves one revision.
 */
function isOwnAttempt(revision: SeenRevision | undefined, { run, digest }: Wanted): boolean {
  return revision?.status === 'failed' && revision.run === run && revision.digest === digest;
}
