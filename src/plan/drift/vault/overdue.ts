/** Values that are older than the environment wants them, and rotations that were left half-way. */
import type { DriftFinding } from '../../../contract/drift.ts';
import type { RotationSettings } from '../../../environment/fields/rotation.ts';
import { isOlder } from '../../rotation/age.ts';
import { type Rotatable, secretText } from '../../rotation/rotatable.ts';
import { vaultFinding } from './finding.ts';

export interface AgedSecret {
  secret: Rotatable;
  /** ISO 8601; absent where nobody knows. */
  since?: string;
  /** ISO 8601: a rotation has begun then, and has not ended. */
  begun?: string;
}

const DAY = 86_400;

/** @param now milliseconds since the epoch */
export function overdueFindings(
  secrets: readonly AgedSecret[],
  { rotation, name, now }: { rotation?: RotationSettings | undefined; name: string; now: number },
): DriftFinding[] {
  return secrets.flatMap(({ secret, since, begun }) => {
    const object = `Vault secret ${secret.path}`;
    const line = `npm run ananta -- rotate ${secretText(secret)} --env ${name}`;
    if (begun !== undefined)
      return [
        vaultFinding({
          kind: 'changed',
          area: 'vault',
          object,
          field: `${secret.key} rotation`,
          was: 'ended',
          is: `begun ${begun}, and not ended`,
          note: `The former value and the new one are both good. It goes on with: ${line}`,
        }),
      ];
    if (rotation === undefined || (rotation.paths !== undefined && !rotation.paths.includes(secret.path))) return [];
    if (!isOlder(since, now, rotation.olderThanSeconds)) return [];
    return [
      vaultFinding({
        kind: 'changed',
        area: 'vault',
        object,
        field: `${secret.key} age`,
        was: `at most ${days(rotation.olderThanSeconds)} days`,
        is: since === undefined ? 'unknown' : `${days((now - Date.parse(since)) / 1000)} days`,
        // Does not change from day to day, so that an acceptance holds until the secret is rotated.
        value: since ?? 'unknown',
        note: `It is older than rotation.olderThanSeconds of the environment says. Rotate it: ${line}`,
      }),
    ];
  });
}

function days(seconds: number): number {
  return Math.floor(seconds / DAY);
}
