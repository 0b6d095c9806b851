import { AnantaError } from '../../contract/errors.ts';
import type { FailureType } from '../../contract/failures.ts';

/** A Helm process that ended badly, already classed. */
export class HelmError extends AnantaError {
  override name = 'HelmError';
  override readonly type: FailureType;

  constructor(type: FailureType, message: string) {
    super(message);
    this.type = type;
  }
}
