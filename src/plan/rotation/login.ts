/** By which names readers log in: two take turns, so that both are good while readers move. Pure. */
import type { RotationSystem } from '../../catalog/schema.ts';

const SECOND: Record<RotationSystem['system'], string> = { postgresql: '_b' };

/** @param declared name of the catalog; @param current name that is in use. @returns the other one of the two */
export function nextUsername(system: RotationSystem['system'], declared: string, current: string): string {
  return current === declared ? `${declared}${SECOND[system]}` : declared;
}
