/** Names of backups in a folder, and which of them may go. Pure. */

const ENDING = '.tar.age';

/** Sorts by time: `ananta-prod-20261130T221500Z.tar.age`. */
export function backupFileName(environment: string, at: Date): string {
  return `ananta-${environment}-${momentIn(at.toISOString())}${ENDING}`;
}

/** As it stands in a file's name: `20261130T221500Z`. @param at ISO 8601 */
export function momentIn(at: string): string {
  return at.replace(/\.\d+Z$/, 'Z').replaceAll(/[-:]/g, '');
}

/** @returns when it was made, ISO 8601; undefined for what is no backup of that environment */
export function backupMoment(environment: string, name: string): string | undefined {
  const prefix = `ananta-${environment}-`;
  if (!name.startsWith(prefix) || !name.endsWith(ENDING)) return undefined;
  const found = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(name.slice(prefix.length, -ENDING.length));
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second] = found;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}

/** Of that environment, the newest first. */
export function backupsAmong(environment: string, names: readonly string[]): string[] {
  return names
    .filter((name) => backupMoment(environment, name) !== undefined)
    .sort()
    .reverse();
}

/** All but the newest `keep`; what somebody else keeps in the folder is none of it. */
export function backupsToRemove(environment: string, names: readonly string[], keep: number): string[] {
  return backupsAmong(environment, names).slice(Math.max(1, keep));
}
