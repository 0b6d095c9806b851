/** The engine cannot be used as the environment says: nothing was touched. */
import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';

export class EngineAccessError extends AnantaError {
  override name = 'EngineAccessError';
  override readonly exitCode = EXIT_CODES.refused;
  /** Lines that help. */
  override readonly next: string[];
  constructor(message: string, next: string[] = [], cause?: unknown) {
    super(message, { cause });
    this.next = next;
  }
}

/** Keys of encrypted histories are missing here, or are others: where they are does not depend on the engine's kind. */
export class HistoryKeysError extends EngineAccessError {
  override name = 'HistoryKeysError';
  override readonly type = FAILURES.historyKeyMissing;
}
