/** How old a value is. Pure. */

/** @param since ISO 8601; one of which nobody knows is as old as can be */
export function isOlder(since: string | undefined, now: number, seconds: number): boolean {
  const at = Date.parse(since ?? '');
  return Number.isNaN(at) || now - at > seconds * 1000;
}
