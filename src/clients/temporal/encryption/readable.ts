/** What the engine keeps, decrypted, for those who read it past the SDK's converters: histories and descriptions. */
import { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload, type PayloadCodec } from '@temporalio/common';
import { decode, visit } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
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
 * Decrypts payloads in place, and gives failures their own words.
 * @returns the same events
 * @throws UnreadableHistoryError where a key is missing
 */
export async function readableEvents(client: Codecs, events: HistoryEvent[]): Promise<HistoryEvent[]> {
  await decrypted(client, { history: { events } }, walkGetWorkflowExecutionHistoryResponse);
  return events;
}

/**
 * Decrypts failures and heartbeats of what is pending, in place.
 * @returns the same description
 * @throws UnreadableHistoryError where a key is missing
 */
export async function readableDescription(client: Codecs, raw: Described): Promise<Described> {
  await decrypted(client, raw, walkDescribeWorkflowExecutionResponse);
  return raw;
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

/** One of each for a client: workers and whoever follows something ask every few seconds. */
const forgivingClients = new WeakMap<Client, Client>();
const plainClients = new WeakMap<Client, Client>();

/**
 * For looking at workflows that may be of other environments, or older than the keys at hand: what cannot be read is
 * named, and the rest is shown. Over the same connection.
 */
export function forgiving(client: Client): Client {
  return oneOf(forgivingClients, client, () => {
    const { namespace, loadedDataConverter } = client.options;
    const payloadCodecs = loadedDataConverter.payloadCodecs.map((codec) => forgivingCodec(codec));
    return new Client({ connection: client.connection, namespace, dataConverter: { payloadCodecs } });
  });
}

/** For the little that has to be read without any key: which cluster, which keys. Over the same connection. */
export function withoutKeys(client: Client): Client {
  if (client.options.loadedDataConverter.payloadCodecs.length === 0) return client;
  return oneOf(
    plainClients,
    client,
    () => new Client({ connection: client.connection, namespace: client.options.namespace }),
  );
}

function oneOf(clients: WeakMap<Client, Client>, client: Client, make: () => Client): Client {
  const made = clients.get(client) ?? make();
  clients.set(client, made);
  return made;
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
