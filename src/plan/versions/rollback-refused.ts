import { VersionRefusedError } from './refused.ts';

/** What was asked for cannot be gone back to; nothing was touched. */
export class RollbackRefusedError extends VersionRefusedError {
  override name = 'RollbackRefusedError';
}

/** @returns the text, with every file and its reason */
export function noReturnText(
  crossed: readonly { file: string; reason: string; release: string }[],
  where: string,
): string {
  const files = crossed.map(({ file, reason, release }) => `${file} (${release}): ${reason}`).join('; ');
  return `${where} would cross ${crossed.length === 1 ? 'a migration that cannot' : `${crossed.length} migrations that cannot`} be taken back: ${files}. The database keeps what they did, and what is gone back to may not work with it.`;
}
