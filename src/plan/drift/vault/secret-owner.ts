/** Who wrote a field of an object, as far as the API server knows. */
import { z } from 'zod';

const managedSchema = z.array(
  z.looseObject({
    manager: z.string().default(''),
    operation: z.string().default(''),
    time: z.string().nullish(),
    subresource: z.string().optional(),
    fieldsV1: z.record(z.string(), z.unknown()).nullish(),
  }),
);

export interface FieldOwner {
  by?: string;
  /** ISO 8601. */
  at?: string;
}

/**
 * The one who wrote the field last. A field that nobody owns any more was removed by somebody who is not on record.
 * @param path of the field: `['data', 'password']`, `['metadata', 'labels', 'x']`
 */
export function ownerOfField(managedFields: unknown, path: readonly string[], ours: string): FieldOwner {
  const parsed = managedSchema.safeParse(managedFields);
  const owners = (parsed.success ? parsed.data : []).filter(({ fieldsV1 }) => holds(fieldsV1 ?? {}, path));
  const others = owners.filter(({ manager, operation }) => !(manager === ours && operation === 'Apply'));
  const newest = (others.length > 0 ? others : owners).sort((a, b) => (b.time ?? '').localeCompare(a.time ?? ''))[0];
  return newest === undefined
    ? {}
    : {
        ...(newest.manager === '' ? {} : { by: newest.manager }),
        ...(typeof newest.time === 'string' ? { at: newest.time } : {}),
      };
}

/** Whether the field is one that `ours` has applied, and nobody has changed since. */
export function isOursAlone(managedFields: unknown, path: readonly string[], ours: string): boolean {
  const parsed = managedSchema.safeParse(managedFields);
  const owners = (parsed.success ? parsed.data : []).filter(({ fieldsV1 }) => holds(fieldsV1 ?? {}, path));
  return owners.length > 0 && owners.every(({ manager, operation }) => manager === ours && operation === 'Apply');
}

function holds(fields: Readonly<Record<string, unknown>>, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true;
  const below = fields[`f:${first}`];
  return typeof below === 'object' && below !== null && holds(below as Record<string, unknown>, rest);
}
