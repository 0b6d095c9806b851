/** One attempt at a webhook. Its address may be all that is needed to write there, so it is never shown. */
import { headersOf } from '../../clients/headers-file.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { DeliveryAnswer, ToldNotification } from '../../contract/notifications.ts';
import { isPassing, retryAfterOf } from '../../plan/notify/backoff.ts';
import { formatted } from '../../plan/notify/format.ts';
import type { WebhookTarget } from '../../plan/notify/targets.ts';
import { outputTail } from './output.ts';
import { type Resolving, resolveReference } from './resolve.ts';
import { signatureHeaders } from './signature.ts';

/** Of an answer: it is only shown. */
const MOST_BYTES = 64 * 1024;
/** Characters from which on a part of an address is more than a name. */
const SECRET_PART = 16;

/** @throws what a reference cannot be read for */
export async function postOnce(
  clients: Resolving,
  target: WebhookTarget,
  notification: ToldNotification,
  clusterUid: string,
  signal: AbortSignal,
): Promise<DeliveryAnswer> {
  const { url, host } = await addressOf(clients, target, clusterUid, signal);
  const body = formatted(target.format, notification, { earlier: target.earlier === true });
  const headers = await headersFor(clients, target, notification.id, body, clusterUid, signal);
  try {
    // Followed elsewhere it would take the headers along.
    const answer = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(target.timeoutSeconds * 1000)]),
    });
    return await answered(host, answer);
  } catch (error) {
    signal.throwIfAborted();
    return { delivered: false, text: `The webhook at ${host} could not be reached (${reasonOf(error)})` };
  }
}

async function answered(host: string, answer: Response): Promise<DeliveryAnswer> {
  const text = outputTail(await beginningOf(answer));
  const said = `The webhook at ${host} answered ${answer.status}`;
  if (answer.ok) return { delivered: true, text: said };
  const retryAfterSeconds = retryAfterOf(answer.headers.get('retry-after'), Date.now());
  return {
    delivered: false,
    text: `${said}${text === '' ? '' : `: ${text}`}`,
    ...(isPassing(answer.status) ? {} : { permanent: true as const }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

/** A receiver that has taken it in may still fail to say so in full: its status counts. */
async function beginningOf({ body }: Response): Promise<string> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MOST_BYTES) break;
    }
  } catch {
    // What has come is shown.
  }
  return Buffer.concat(chunks).subarray(0, MOST_BYTES).toString('utf8');
}

async function addressOf(
  clients: Resolving,
  { url, fields }: WebhookTarget,
  clusterUid: string,
  signal: AbortSignal,
): Promise<{ url: string; host: string }> {
  if (typeof url === 'string') return { url, host: new URL(url).host };
  const text = await resolveReference(clients, { reference: url, field: fields.url, clusterUid }, signal);
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed === undefined || !['https:', 'http:'].includes(parsed.protocol) || parsed.username !== '')
    throw new DeployError(
      FAILURES.invalidInput,
      `${fields.url}: what is there is no address such as https://HOST/PATH`,
    );
  // Long parts of it are as good as all of it; short ones are words like others.
  const parts = [`${parsed.pathname}${parsed.search}`, ...parsed.pathname.split('/'), ...parsed.searchParams.values()];
  clients.redactor.learn(parsed.href, ...parts.filter(({ length }) => length >= SECRET_PART));
  return { url: text, host: parsed.host };
}

async function headersFor(
  clients: Resolving,
  { headers, signingKey, fields }: WebhookTarget,
  id: string,
  body: string,
  clusterUid: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const value = (reference: WebhookTarget['headers'], field: string): Promise<string> | undefined =>
    reference && resolveReference(clients, { reference, field, clusterUid }, signal);
  const [lines, key] = await Promise.all([value(headers, fields.headers), value(signingKey, fields.signingKey)]);
  const own = lines === undefined ? {} : headersOf(lines, fields.headers);
  clients.redactor.learn(...Object.values(own), ...Object.values(own).map((text) => text.split(' ').at(-1)));
  return { ...own, ...(key === undefined ? {} : signatureHeaders(key, id, Math.floor(Date.now() / 1000), body)) };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message}${error.cause instanceof Error ? `: ${error.cause.message}` : ''}`;
}
