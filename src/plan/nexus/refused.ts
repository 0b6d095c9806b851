import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, type FailureType } from '../../contract/failures.ts';

/** What a Nexus operation was asked for cannot be done; nothing was touched. */
export class NexusRefusedError extends AnantaError {
  override name = 'NexusRefusedError';
  override readonly exitCode = EXIT_CODES.refused;
  override readonly type: FailureType;
  constructor(type: FailureType, message: string) {
    super(message);
    this.type = type;
  }
}
