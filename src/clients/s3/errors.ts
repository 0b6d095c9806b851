/** What a store of objects refuses, in words; never with a key or a signature. */
import { DeployError } from '../../contract/errors.ts';
import { FAILURES, type FailureType } from '../../contract/failures.ts';
import { textOf } from './answers.ts';

interface Named {
  endpoint: string;
  region: string;
}

const LONGEST = 500;
const REMEDIES: Readonly<Record<string, string>> = {
  NoSuchBucket: 'Make the bucket first: nothing here makes one.',
  InvalidAccessKeyId: 'The access key is not known there.',
  SignatureDoesNotMatch: 'The secret key is another one, or an address in front of the store changes requests.',
  RequestTimeTooSkewed: "This machine's clock, or the store's, is minutes wrong.",
  AccessDenied: 'Its access key has to be allowed to read, write, list and delete below the prefix.',
  NotImplemented:
    'Where it encrypts nothing by itself, leave `encryption` out: files are encrypted for the recipients anyway.',
};

export class BucketError extends DeployError {
  override name = 'BucketError';
  /** Of the answer; 0 where there was none. */
  readonly status: number;
  /** The store may answer otherwise in a moment. */
  readonly passing: boolean;
  /** As the file system's, so that whoever reads needs not know where from. */
  readonly code: string | undefined;

  private constructor(type: FailureType, message: string, status: number, passing: boolean) {
    super(type, message);
    this.status = status;
    this.passing = passing;
    this.code = status === 404 ? 'ENOENT' : undefined;
  }

  static async of(what: string, answer: Response, connection: Named): Promise<BucketError> {
    const text = await answer.text().catch(() => '');
    const region = answer.headers.get('x-amz-bucket-region');
    if (answer.status >= 300 && answer.status < 400)
      return new BucketError(
        FAILURES.invalidInput,
        `${what} at ${connection.endpoint}: the bucket is elsewhere (${region === null ? 'it names no region' : `region ${region}`}), and the environment's file says ${connection.region}`,
        answer.status,
        false,
      );
    return BucketError.said(what, answer.status, text, connection);
  }

  /** @param text of its answer */
  static said(what: string, status: number, text: string, { endpoint }: Named): BucketError {
    const code = textOf(text, 'Code') ?? (status === 403 ? 'AccessDenied' : '');
    const message = (textOf(text, 'Message') ?? '').slice(0, LONGEST);
    const passing = status >= 500 ? status !== 501 : status === 429 || status === 408 || code === 'RequestTimeout';
    const remedy = REMEDIES[code];
    return new BucketError(
      passing ? FAILURES.unreachable : status === 403 || status === 401 ? FAILURES.forbidden : FAILURES.invalidInput,
      [`${what} at ${endpoint}: ${[String(status), code, message].filter((part) => part !== '').join(' ')}`, remedy]
        .filter((part) => part !== undefined)
        .join('. '),
      status,
      passing,
    );
  }

  static away(what: string, { endpoint }: Named, error: unknown): BucketError {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : message;
    return new BucketError(
      FAILURES.unreachable,
      `${what}: the store at ${endpoint} cannot be reached: ${reason}`,
      0,
      true,
    );
  }
}
