import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, type FAILURES } from '../../contract/failures.ts';

/** The request does not fit the kept versions; nothing was touched. */
export class VersionRefusedError extends AnantaError {
  override readonly exitCode = EXIT_CODES.refused;
  override readonly type: typeof FAILURES.versionUnknown | typeof FAILURES.pointOfNoReturn;

  constructor(type: VersionRefusedError['type'], message: string) {
    super(message);
    this.type = type;
  }
}
