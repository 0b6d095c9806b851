/**
 * A codec server as the Temporal UI and CLI ask for one: POST /decode and /encode of payloads in JSON. It answers
 * whoever `allow` lets in, and browsers only on pages of the UI.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { z } from 'zod';
import { forgivingCodec } from '../../clients/temporal/encryption/readable.ts';
import { bodyOf } from '../../process/request-body.ts';
import { tryJson } from '../../try-json.ts';

export type CodecVerb = 'decode' | 'encode';

/** Who is asking: what stands in the path before the verb, and the bearer token. */
export interface Caller {
  path: string;
  bearer: string | undefined;
}

export type Admission = 'allowed' | 'forbidden' | 'unknown';

export interface CodecServerOptions {
  codec: PayloadCodec;
  /** Temporal namespace of the environment: payloads of others are not for these keys. */
  namespace: string;
  /** Addresses of UIs, as browsers send them (`Origin`). */
  origins: readonly string[];
  /**
   * Names by which the server may be called (`Host`): none other, so that no page makes a name of its own point here.
   */
  hosts?: (() => readonly string[]) | undefined;
  allow: (verb: CodecVerb, caller: Caller) => Promise<Admission>;
  tls?: { cert: Buffer; key: Buffer } | undefined;
  /** Called with what went wrong, never with a payload. */
  say: (text: string) => void;
}

const MOST_BYTES = 16 * 1024 * 1024;
const base64 = z.base64();
const bodySchema = z.object({
  payloads: z.array(z.object({ metadata: z.record(z.string(), base64).nullish(), data: base64.nullish() })),
});

/** Not listening yet. */
export function createCodecServer(options: CodecServerOptions): Server {
  const listener: RequestListener = (request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      options.say(`A request could not be answered: ${error instanceof Error ? error.message : String(error)}`);
      if (!response.headersSent) end(response, 500, 'It could not be answered.');
    });
  };
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  server.requestTimeout = 30_000;
  return server;
}

interface Reply {
  status: number;
  /** A line for people, or payloads. */
  text?: string;
  payloads?: readonly Payload[];
}

async function answer(request: IncomingMessage, response: ServerResponse, options: CodecServerOptions): Promise<void> {
  const { status, text, payloads } = await replyTo(request, response, options);
  if (payloads === undefined) {
    end(response, status, text);
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify({ payloads: payloads.map(toJson) }));
}

/** Sets the headers that browsers want. */
async function replyTo(
  request: IncomingMessage,
  response: ServerResponse,
  { codec, namespace, origins, hosts, allow }: CodecServerOptions,
): Promise<Reply> {
  const { origin, host } = request.headers;
  if (hosts !== undefined && !hosts().includes(host ?? '')) return { status: 421, text: 'There is no such host here.' };
  if (origin !== undefined) {
    if (!origins.includes(origin)) return { status: 403, text: 'This page may not ask.' };
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('vary', 'origin');
  }
  if (request.method === 'OPTIONS') return preflight(request, response);
  const match = /^(.*)\/(decode|encode)$/.exec((request.url ?? '').split('?')[0] ?? '');
  if (match === null) return { status: 404, text: 'There is POST /decode and POST /encode.' };
  if (request.method !== 'POST') return { status: 405, text: 'POST it.' };
  const verb = match[2] as CodecVerb;
  const caller = {
    path: (match[1] ?? '').replace(/^\//, ''),
    bearer: /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1],
  };
  const admission = await allow(verb, caller);
  if (admission === 'unknown') return { status: 401, text: 'Nobody here knows this caller.' };
  if (admission === 'forbidden') return { status: 403, text: `This caller may not ${verb} histories.` };
  const asked = request.headers['x-namespace'];
  if (asked !== undefined && asked !== namespace) return { status: 400, text: `These are the keys of "${namespace}".` };
  const text = await bodyOf(request, MOST_BYTES);
  if (text === undefined) return { status: 413, text: 'That is too much at once.' };
  const body = bodySchema.safeParse(tryJson(text));
  if (!body.success) return { status: 400, text: 'It has to be {"payloads": [{"metadata": …, "data": …}]} in base64.' };
  const payloads = body.data.payloads.map(fromJson);
  // One page shows payloads of several keys: what cannot be read stays as it is.
  const patient = forgivingCodec(codec, (payload) => payload);
  return { status: 200, payloads: await patient[verb](payloads) };
}

/** Browsers ask first. Pages of a network may ask machines of a more private one only where those say so. */
function preflight(request: IncomingMessage, response: ServerResponse): Reply {
  response.setHeader('access-control-allow-methods', 'POST');
  response.setHeader(
    'access-control-allow-headers',
    request.headers['access-control-request-headers'] ?? 'content-type',
  );
  response.setHeader('access-control-max-age', '600');
  if (request.headers['access-control-request-private-network'] !== undefined)
    response.setHeader('access-control-allow-private-network', 'true');
  return { status: 204 };
}

function end(response: ServerResponse, status: number, text?: string): void {
  if (text === undefined) response.writeHead(status).end();
  else response.writeHead(status, { 'content-type': 'text/plain' }).end(`${text}\n`);
}

type JsonPayload = z.infer<typeof bodySchema>['payloads'][number];

function fromJson({ metadata, data }: JsonPayload): Payload {
  const bytes = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value, 'base64')] as const);
  return { metadata: Object.fromEntries(bytes), data: Buffer.from(data ?? '', 'base64') };
}

function toJson({ metadata, data }: Payload): JsonPayload {
  const texts = Object.entries(metadata ?? {}).map(
    ([name, value]) => [name, Buffer.from(value).toString('base64')] as const,
  );
  return { metadata: Object.fromEntries(texts), data: Buffer.from(data ?? []).toString('base64') };
}
