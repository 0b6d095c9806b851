/**
 * The user names by which readers log in: two take turns, so that both are valid while readers move to the new one.
 * Pure.
 */
import type { RotationSystem } from '../../catalog/schema.ts';
import type { SecretName } from '../../contract/operations/secret-name.ts';

/** Undefined: one user has two passwords meanwhile. */
const SECOND: Record<RotationSystem['system'], string | undefined> = {
  postgresql: '_b',
  rabbitmq: '-b',
  redis: undefined,
  minio: '-b',
  mongodb: '_b',
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
export function restartsServer(rotation: RotationSystem): boolean {
  return rotation.system === 'redis' || (rotation.system === 'minio' && rotation.admin === undefined);
}

/** Password of whoever changes it in the server, and the name that they log in by. */
export interface Administrator extends SecretName {
  /** Key of the same path. Undefined: `fixedName`. */
  usernameKey?: string;
  fixedName: string;
}

/** By what name they log in where no key says it. */
const ADMINISTRATORS = { postgresql: 'postgres', mongodb: 'root', minio: '' } as const;

/** @returns undefined where the server's own tool asks for none. The administrator's own: what Vault holds is good. */
export function administratorOf({
  path,
  key,
  rotation,
}: SecretName & { rotation: RotationSystem }): Administrator | undefined {
  if (!('admin' in rotation) && !('username' in rotation)) return undefined;
  if (rotation.system === 'rabbitmq') return undefined;
  const { path: at, key: password, username } = rotation.admin ?? { path, key, username: rotation.username };
  return {
    path: at,
    key: password,
    ...(username === undefined ? {} : { usernameKey: username }),
    fixedName: ADMINISTRATORS[rotation.system],
  };
}
