import type { FailureType } from '../../contract/failures.ts';

/** A Helm process that ended badly, already classed. */
export class HelmError extends Error {
  override name = 'HelmError';
  readonly type: FailureType;

  constructor(type: FailureType, message: string) {
    super(message);
    this.type = type;
  }
}
