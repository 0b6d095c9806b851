/** Where an environment keeps its backups and its checkpoints, and what opens those places. Pure. */
import type { BackupPlaceSettings } from '../../environment/fields/backup/backup.ts';
import type { ValueReference } from '../../environment/fields/formats/reference.ts';
import type { Environment } from '../../environment/schema.ts';

type Placed = Pick<Environment, 'backup' | 'checkpoints'>;

/** @returns undefined where there is none; otherwise with the field that names it */
export function placeSettings(
  { backup, checkpoints }: Placed,
  what: 'backup' | 'checkpoint',
): { to: BackupPlaceSettings; field: string } | undefined {
  if (what === 'checkpoint' && checkpoints?.to !== undefined) return { to: checkpoints.to, field: 'checkpoints.to' };
  return backup?.to === undefined ? undefined : { to: backup.to, field: 'backup.to' };
}

/** As many as backups by default. */
const DEFAULT_KEPT = 14;

/** How many checkpoints of each database stay. */
export function checkpointsKept({ backup, checkpoints }: Placed): number {
  return checkpoints?.keep ?? backup?.keep ?? DEFAULT_KEPT;
}

/** Every value that is kept elsewhere, with the field that names it. */
export function placeReferences({ backup, checkpoints }: Placed): { field: string; reference: ValueReference }[] {
  return [
    { to: backup?.to, field: 'backup.to' },
    { to: checkpoints?.to, field: 'checkpoints.to' },
  ].flatMap(({ to, field }) =>
    typeof to === 'object'
      ? Object.entries(to.credentials).flatMap(([name, reference]) =>
          reference === undefined ? [] : [{ field: `${field}.credentials.${name}`, reference }],
        )
      : [],
  );
}
