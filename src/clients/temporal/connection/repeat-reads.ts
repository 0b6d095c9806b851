/**
 * What is only read from the engine is asked again when the engine itself has not managed in time, as it happens on a
 * machine that is short of processors: the SDK asks again only after other answers. Queries are not among them, since
 * they wait for a worker, and whoever asks says how long.
 */
import { type CallOptions, type Interceptor, status } from '@grpc/grpc-js';
import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

const READS = /\/(Describe|Get|List|Count)[A-Za-z]*$/;
/** Of ten seconds each, on the engine's side. */
const ATTEMPTS = 4;

const byDefault = defaultGrpcRetryOptions();
const asOthers = makeGrpcRetryInterceptor(byDefault);
const again = makeGrpcRetryInterceptor({
  ...byDefault,
  retryableDecider: (attempt, answer) =>
    (attempt < ATTEMPTS && answer.code === status.DEADLINE_EXCEEDED) || byDefault.retryableDecider(attempt, answer),
});

/** Instead of the SDK's own. A call that has a deadline of ours ends with it. */
export const repeatReads: Interceptor = (options, nextCall) => {
  const { deadline, method_definition: method } = options as CallOptions & { method_definition: { path: string } };
  return (deadline === undefined && READS.test(method.path) ? again : asOthers)(options, nextCall);
};
