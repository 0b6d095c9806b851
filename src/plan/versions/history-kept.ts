/** Which of Helm's revisions are still needed. Helm itself keeps all of them; nothing else removes one. Pure. */
import type { ReleaseStatus } from '../observed.ts';

export interface KeptRevision {
  revision: number;
  status: ReleaseStatus;
  digest: string | undefined;
  /** Somebody else wrote it: it is no state to return to, and must not be removed. */
  foreign?: true;
}

/**
 * States of revisions that may be removed. Those in any other state are in use, the newest, or being worked on by
 * somebody.
 */
const PAST: readonly ReleaseStatus[] = ['superseded', 'failed'];
/** States of revisions that Helm can roll back to. */
const WHOLE: readonly ReleaseStatus[] = ['deployed', 'superseded'];

/**
 * The revision that brings a digest back: the newest that was ever complete. @returns undefined when Helm no longer has
 * one
 */
export function revisionOf<T extends KeptRevision>(revisions: readonly T[], digest: string): T | undefined {
  return revisions
    .filter(
      (candidate) => candidate.foreign !== true && candidate.digest === digest && WHOLE.includes(candidate.status),
    )
    .reduce<T | undefined>(
      (best, candidate) => (best && best.revision > candidate.revision ? best : candidate),
      undefined,
    );
}

/**
 * Of one release. Never the newest, never a deployed one, never one that somebody else has written.
 * @param digests that a kept version needs
 */
export function dispensable<T extends KeptRevision>(revisions: readonly T[], digests: ReadonlySet<string>): T[] {
  const newest = Math.max(...revisions.map(({ revision }) => revision));
  return revisions.filter((candidate) => {
    if (candidate.foreign === true || candidate.revision === newest || !PAST.includes(candidate.status)) return false;
    return (
      candidate.digest === undefined ||
      !digests.has(candidate.digest) ||
      revisionOf(revisions, candidate.digest)?.revision !== candidate.revision
    );
  });
}
