/** By which names readers log in: two take turns, so that both are good while readers move. Pure. */
import type { RotationSystem } from '../../catalog/schema.ts';

/** Undefined: one user has two passwords meanwhile. */
const SECOND: Record<RotationSystem['system'], string | undefined> = {
  postgresql: '_b',
  rabbitmq: '-b',
  redis: undefined,
};

/** @param declared name of the catalog; @param current name that is in use. @returns the other one of the two */
export function nextUsername(system: RotationSystem['system'], declared: string, current: string): string {
  const second = SECOND[system];
  return second !== undefined && current === declared ? `${declared}${second}` : declared;
}

/** Key of the path that holds the name; undefined where there is none. */
export function usernameKeyOf(rotation: RotationSystem): string | undefined {
  return 'username' in rotation ? rotation.username : undefined;
}

/** Whether its pods go on with the former value until they are restarted: for themselves, in probes. */
export function restartsServer({ system }: RotationSystem): boolean {
  return system === 'redis';
}
