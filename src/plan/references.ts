/** Every value of which an environment's file names the place alone. Pure. */
import type { ValueReference } from '../environment/fields/formats/reference.ts';
import type { Environment } from '../environment/schema.ts';
import { placeReferences } from './backup/places.ts';
import { notifyReferences } from './notify/targets.ts';

/** With the field that names it. */
export function referencesOf(
  environment: Pick<Environment, 'notify' | 'backup' | 'checkpoints'>,
): { field: string; reference: ValueReference }[] {
  return [...notifyReferences(environment.notify), ...placeReferences(environment)];
}
