/** Fields of something in Vault that differ from what was written there. */

export interface FieldDifference {
  field: string;
  /** As text. */
  was: string;
  is: string;
}

/**
 * Only the wanted fields are looked at: a newer Vault has more of them. What Vault leaves out counts as its empty
 * value.
 * @param wanted by field name; lists of text count as sets
 */
export function fieldDifferences(
  wanted: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
): FieldDifference[] {
  return Object.entries(wanted)
    .map(([field, value]) => ({ field, was: textOf(value), is: textOf(found[field] ?? emptyLike(value)) }))
    .filter(({ was, is }) => was !== is);
}

function emptyLike(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  return typeof value === 'number' ? 0 : typeof value === 'boolean' ? false : '';
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).sort().join(', ');
  return typeof value === 'string' ? value.trim() : JSON.stringify(value);
}
