import { AnantaError } from '../../contract/errors.ts';
import { type FAILURES, EXIT_CODES } from '../../contract/failures.ts';

/** What was asked for cannot be gone back to; nothing was touched. */
export class RollbackRefusedError extends AnantaError {
  override name = 'RollbackRefusedError';
  override readonly exitCode = EXIT_CODES.refused;
  override readonly type: typeof FAILURES.versionUnknown | typeof FAILURES.pointOfNoReturn;

  constructor(type: RollbackRefusedError['type'], message: string) {
    super(message);
    this.type = type;
  }
}

/** @returns the text, with every file and its reason */
export function noReturnText(
  crossed: readonly { file: string; reason: string; release: string }[],
  where: string,
): string {
  const files = crossed.map(({ file, reason, release }) => `${file} (${release}): ${reason}`).join('; ');
  return `${where} would cross ${crossed.length === 1 ? 'a migration that cannot' : `${crossed.length} migrations that cannot`} be taken back: ${files}. The database keeps what they did, and what is gone back to may not work with it.`;
}
