import type { WorkerVersions } from '../clients/temporal/versions.ts';

/**
 * Whether a version of the workflow code makes itself the one that new operations begin with: where there is none,
 * where it came later than the current one, and where nobody serves that any more (code that was taken back). An old
 * worker that is merely started again takes nothing over. Pure.
 */
export function takesOver(mine: string, { current, known }: WorkerVersions, currentIsServed: boolean): boolean {
  if (current === mine) return false;
  if (current === undefined || !currentIsServed) return true;
  return (known.get(mine) ?? 0) > (known.get(current) ?? 0);
}
