/** What the engine keeps, decrypted, for those who read it past the SDK's converters: histories and descriptions. */
import { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload, type PayloadCodec } from '@temporalio/common';
import { decode, visit } from '@temporalio/common/lib/internal-non-workflow/index.js';
import proto, { type temporal } from '@temporalio/proto';
import {
  walkDescribeWorkflowExecutionResponse,
  walkGetWorkflowExecutionHistoryResponse,
} from '@temporalio/proto/lib/payload-visitor.generated.js';
import { keyIdOf, UnreadableHistoryError } from './codec.ts';

type Failure = temporal.api.failure.v1.IFailure;
type Described = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;
type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
/** Of a client: how it decrypts. */
type Codecs = Pick<Client, 'options'>;

/**
 * The same events with plain payloads, and failures with their own words.
 * @throws UnreadableHistoryError where a key is missing
 */
export async function readableEvents(client: Codecs, events: readonly HistoryEvent[]): Promise<HistoryEvent[]> {
  // As the engine sent them they stay: somebody may want to look at them again.
  const copy = events.map((event) => proto.temporal.api.history.v1.HistoryEvent.fromObject(event));
  await decrypted(client, { history: { events: copy } }, walkGetWorkflowExecutionHistoryResponse);
  return copy;
}

/** A description with the words of failures and heartbeats of what is pending. @throws UnreadableHistoryError */
export async function readableDescription(client: Codecs, raw: Described): Promise<Described> {
  const copy = proto.temporal.api.workflowservice.v1.DescribeWorkflowExecutionResponse.fromObject(raw);
  await decrypted(client, copy, walkDescribeWorkflowExecutionResponse);
  return copy;
}

async function decrypted<Root>(
  { options }: Codecs,
  root: Root,
  walk: Parameters<typeof visit<Root, 'failure' | undefined>>[1],
): Promise<void> {
  const codecs = options.loadedDataConverter.payloadCodecs;
  const failures: Failure[] = [];
  const forgivingCodecs = codecs.map((codec) => forgivingCodec(codec));
  await visit<Root, 'failure' | undefined>(root, walk, {
    // The words of a failure may be those of a worker with the wrong keys: the rest of the history is still ours.
    transformPayload: async (payload, within) =>
      (await decode(within === 'failure' ? forgivingCodecs : codecs, [payload]))[0] ?? payload,
    transformPayloads: (payloads) => decode(codecs, payloads),
    skipHeaders: true,
    skipSearchAttributes: true,
    deriveContext: (message, type) => {
      if (type !== 'temporal.api.failure.v1.Failure') return undefined;
      failures.push(message);
      return 'failure';
    },
  });
  for (const failure of failures) {
    const own = failure.encodedAttributes
      ? defaultPayloadConverter.fromPayload<{ message?: unknown; stack_trace?: unknown }>(failure.encodedAttributes)
      : undefined;
    if (typeof own?.message === 'string') failure.message = own.message;
    if (typeof own?.stack_trace === 'string') failure.stackTrace = own.stack_trace;
  }
}

/** Stands in a memo for what cannot be read. */
export interface Unreadable {
  unreadable: string;
}

export function isUnreadable(value: unknown): value is Unreadable {
  return typeof value === 'object' && value !== null && 'unreadable' in value;
}

/**
 * For looking at workflows that may be of other environments, or older than the keys at hand: what cannot be read is
 * named, and the rest is shown. Over the same connection.
 */
export function forgiving(client: Client): Client {
  const { namespace, loadedDataConverter } = client.options;
  const payloadCodecs = loadedDataConverter.payloadCodecs.map((codec) => forgivingCodec(codec));
  return new Client({ connection: client.connection, namespace, dataConverter: { payloadCodecs } });
}

/** For the little that has to be read without any key: which cluster, which keys. Over the same connection. */
export function withoutKeys(client: Client): Client {
  if (client.options.loadedDataConverter.payloadCodecs.length === 0) return client;
  return new Client({ connection: client.connection, namespace: client.options.namespace });
}

/** @param instead what takes the place of a payload that cannot be read */
export function forgivingCodec(
  codec: PayloadCodec,
  instead: (payload: Payload) => Payload = namedUnreadable,
): PayloadCodec {
  return {
    encode: (payloads) => codec.encode(payloads),
    decode: (payloads) =>
      Promise.all(
        payloads.map(async (payload): Promise<Payload> => {
          try {
            return (await codec.decode([payload]))[0] ?? payload;
          } catch (error) {
            if (!(error instanceof UnreadableHistoryError)) throw error;
            return instead(payload);
          }
        }),
      ),
  };
}

function namedUnreadable(payload: Payload): Payload {
  return defaultPayloadConverter.toPayload({ unreadable: keyIdOf(payload) ?? '' } satisfies Unreadable);
}
