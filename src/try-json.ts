/** JSON of others, which may be none. */

/** @returns undefined for what is no JSON */
export function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
