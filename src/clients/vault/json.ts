/** JSON as Vault writes it, with numbers that JavaScript would round kept as they were written. */

/** Part of the language since ECMAScript 2026; the compiler's library does not know them yet. */
const json = JSON as unknown as {
  rawJSON: (text: string) => unknown;
  isRawJSON: (value: unknown) => boolean;
};

/** @returns the text itself when it is no JSON; undefined for nothing at all */
export function parseJson(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
  } catch {
    return text;
  }
}

/** Name of a value's type in a message: `a number`, `null`. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'boolean') return 'true or false';
  return typeof value === 'number' || json.isRawJSON(value) ? 'a number' : 'an object';
}

function exact(_key: string, value: unknown, { source }: { source: string }): unknown {
  const rounded = typeof value === 'number' && !Number.isSafeInteger(value) && String(value) !== source;
  return rounded ? json.rawJSON(source) : value;
}
