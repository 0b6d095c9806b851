/** Takes answers that people give by the links of notifications: GET shows a page, POST of that page answers. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Redactor } from '../../clients/redact.ts';
import { bodyOf } from '../../process/request-body.ts';
import { rateLimit, type RateLimit } from './limit.ts';
import { type Page, pageHtml, securityHeaders, STYLE } from './page.ts';
import { type AnswerParts, replyTo, type Submitted } from './reply.ts';

export interface AnswerServerOptions extends AnswerParts {
  redactor: Pick<Redactor, 'redact'>;
  /** Where people's browsers find it: only pages from there may answer. */
  url: string;
  tls?: { cert: string; key: string } | undefined;
  limit?: RateLimit;
}

const MOST_BYTES = 4096;
const HEADERS = securityHeaders(createHash('sha256').update(STYLE).digest('base64'));

/** Not listening yet. */
export function createAnswerServer(options: AnswerServerOptions): Server {
  const limit = options.limit ?? rateLimit({ each: 30, all: 300, windowSeconds: 60 });
  const listener: RequestListener = (request, response) => {
    answer(request, response, options, limit).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      options.say(`An answer could not be taken: ${options.redactor.redact(text)}`);
      if (!response.headersSent) end(request, response, 503, later());
    });
  };
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  server.requestTimeout = 15_000;
  server.headersTimeout = 10_000;
  server.maxHeadersCount = 50;
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: AnswerServerOptions,
  limit: RateLimit,
): Promise<void> {
  const wait = limit.take(request.socket.remoteAddress ?? '');
  if (wait !== undefined) {
    response.setHeader('retry-after', String(wait));
    end(request, response, 429, { title: 'Too many requests', lines: [`Try again in ${wait} s.`] });
    return;
  }
  const token = /^\/(?:.*\/)?answer\/([A-Za-z0-9_.-]+)$/.exec((request.url ?? '').split('?')[0] ?? '')?.[1];
  if (token === undefined) {
    end(request, response, 404, { title: 'There is nothing here', lines: [] });
    return;
  }
  if (!['GET', 'HEAD', 'POST'].includes(request.method ?? '')) {
    response.setHeader('allow', 'GET, HEAD, POST');
    end(request, response, 405, { title: 'That is not how it is answered', lines: [] });
    return;
  }
  const form = request.method === 'POST' ? await submitted(request, options.url) : undefined;
  if (form === 'refused') {
    end(request, response, 403, {
      title: 'This was not sent from the page',
      lines: ['Open the link, and answer there.'],
    });
    return;
  }
  const { status, page } = await replyTo(options, token, form);
  end(request, response, status, page);
}

/** Browsers say on which page a form was: another one than ours is refused. */
async function submitted(request: IncomingMessage, url: string): Promise<Submitted | 'refused'> {
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (origin !== undefined && origin !== 'null' && origin !== new URL(url).origin) return 'refused';
  if (site !== undefined && site !== 'same-origin') return 'refused';
  const body = await bodyOf(request, MOST_BYTES);
  if (body === undefined) return 'refused';
  const fields = new URLSearchParams(body);
  return { proof: fields.get('proof') ?? '', reason: fields.get('reason') ?? '' };
}

function end(request: IncomingMessage, response: ServerResponse, status: number, page: Page): void {
  response.writeHead(status, HEADERS);
  response.end(request.method === 'HEAD' ? undefined : pageHtml(page));
}

function later(): Page {
  return { title: 'It cannot be answered now', lines: ['Something it needs does not answer. Try again in a minute.'] };
}
