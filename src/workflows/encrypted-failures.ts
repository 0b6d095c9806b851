/** In encrypted environments: messages and stack traces of failures are payloads, too, which the codec encrypts. */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
