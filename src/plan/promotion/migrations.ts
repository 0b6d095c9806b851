/** Whether the migrations of what is promoted can run where others may have run already. Pure. */
import type { Migration } from '../versions/migrations.ts';

export interface MigrationRun {
  /** Release that runs them. */
  release: string;
  /** Those that the version holds, in order. */
  wanted: readonly Migration[];
  /** Those that the target's release carries now, in order; empty where it is not there yet. */
  applied: readonly Migration[];
}

export interface MigrationVerdict {
  /** What stands against it whatever is asked for. */
  refused: string[];
  /** Applied there, gone in what is promoted, and not to be taken back: crossed only when asked for. */
  crossed: string[];
  notes: string[];
}

export function judgeMigrations({ release, wanted, applied }: MigrationRun): MigrationVerdict {
  const [known, coming] = [new Set(applied.map(({ id }) => id)), new Set(wanted.map(({ id }) => id))];
  const fresh = wanted.filter(({ id }) => !known.has(id));
  const gone = applied.filter(({ id }) => !coming.has(id));
  const last = applied.at(-1)?.id;
  const late = last === undefined ? [] : fresh.filter(({ id }) => isBefore(id, last));
  return {
    refused: late.map(
      ({ id }) =>
        `${release}: ${id} comes before ${String(last)}, which the target has run already: out of order it would not run`,
    ),
    crossed: gone.flatMap(({ id, noReturn }) => (noReturn === undefined ? [] : [`${id} (${release}): ${noReturn}`])),
    notes: [
      ...(fresh.length === 0 ? [] : [`${release} runs ${listed(fresh)}.`]),
      ...fresh.flatMap(({ id, noReturn }) =>
        noReturn === undefined
          ? []
          : [`${id} (${release}) cannot be taken back: ${noReturn}. No rollback leads behind it.`],
      ),
      ...(gone.length === 0
        ? []
        : [`The target has run ${listed(gone)} of ${release}, which the version does not hold.`]),
    ],
  };
}

/** Numbers in names count as numbers: V10 comes after V9. */
function isBefore(id: string, other: string): boolean {
  return id.localeCompare(other, 'en', { numeric: true }) < 0;
}

function listed(migrations: readonly Migration[]): string {
  return migrations.map(({ id }) => id).join(', ');
}
