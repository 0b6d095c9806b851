/**
 * One list-and-watch of one kind that never dies silently. It goes on from the last resourceVersion seen, lists again
 * when that one is expired (410), and tries again with growing pauses when the API server does not answer. Own code:
 * client-node's informer leaves the restart after an error to its user, and says nothing of a connection on which
 * nothing arrives any more.
 */
import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ask } from './ask.ts';
import { isExpired, KubernetesError } from './errors.ts';
import { type KubernetesObject, listSchema, objectSchema } from './objects.ts';
import type { Transport } from './transport.ts';

export interface WatchTarget {
  /** `/apis/apps/v1/deployments` */
  path: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface WatchListener {
  /** A complete list: whatever is not in it no longer exists. */
  replace(objects: KubernetesObject[]): void;
  changed(object: KubernetesObject): void;
  deleted(object: KubernetesObject): void;
  /** Whether what is known is being kept up to date; false, with the reason, from the moment the connection is lost. */
  live(live: boolean, error?: unknown): void;
}

export interface WatchOptions {
  /** Pauses after errors, in milliseconds. */
  firstPause?: number;
  longestPause?: number;
  /** Without even a bookmark for so long the connection counts as dead; the server sends one about every minute. */
  silenceSeconds?: number;
}

const eventSchema = z.object({
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']),
  object: z.unknown(),
});
/** Of no object: it has no name. */
const bookmarkSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const errorObjectSchema = z.looseObject({
  code: z.number().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
});
/** The server ends a watch after this time by itself; a new one goes on where it ended. */
const WATCH_SECONDS = 290;
const PAGE = 500;

/** Runs until `signal` fires. */
export async function runWatch(
  transport: Transport,
  target: WatchTarget,
  listener: WatchListener,
  signal: AbortSignal,
  options: WatchOptions = {},
): Promise<void> {
  const firstPause = options.firstPause ?? 100;
  const longestPause = options.longestPause ?? 2000;
  let version: string | undefined;
  let pause = firstPause;
  while (!signal.aborted) {
    const started = Date.now();
    try {
      if (version === undefined) {
        const list = await listAll(transport, target, signal);
        listener.replace(list.objects);
        version = list.version;
      }
      for await (const seen of watchOnce(transport, target, version, listener, signal, options.silenceSeconds ?? 100)) {
        version = seen;
        pause = firstPause;
      }
      // A watch that ends at once, again and again, must not become a busy loop.
      if (Date.now() - started < 1000) await idle(pause, signal);
    } catch (error) {
      // oxlint-disable-next-line typescript/no-unnecessary-condition -- it fires while we wait
      if (signal.aborted) return;
      if (isExpired(error)) {
        version = undefined;
        await idle(Date.now() - started < 1000 ? pause : 0, signal);
      } else {
        listener.live(false, error);
        await idle(pause, signal);
      }
      pause = Math.min(pause * 2, longestPause);
    }
  }
}

async function listAll(
  transport: Transport,
  target: WatchTarget,
  signal: AbortSignal,
): Promise<{ objects: KubernetesObject[]; version: string }> {
  const objects: KubernetesObject[] = [];
  let token: string | undefined;
  for (;;) {
    const list = await ask(transport, listSchema, {
      path: target.path,
      query: { labelSelector: target.labelSelector, fieldSelector: target.fieldSelector, limit: PAGE, continue: token },
      signal,
    });
    objects.push(...list.items.map(slim));
    token = list.metadata.continue || undefined;
    if (token === undefined) return { objects, version: list.metadata.resourceVersion };
  }
}

/** @returns each resourceVersion from which the watch could go on; ends when the server ends it */
async function* watchOnce(
  transport: Transport,
  target: WatchTarget,
  version: string,
  listener: WatchListener,
  signal: AbortSignal,
  silenceSeconds: number,
): AsyncGenerator<string> {
  const query = {
    labelSelector: target.labelSelector,
    fieldSelector: target.fieldSelector,
    watch: true,
    resourceVersion: version,
    allowWatchBookmarks: true,
    timeoutSeconds: WATCH_SECONDS,
  };
  const answer = await transport.stream({ path: target.path, query, signal });
  const abort = (): void => {
    answer.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    listener.live(true);
    for await (const line of lines(answer, silenceSeconds)) {
      const event = eventSchema.parse(JSON.parse(line));
      if (event.type === 'ERROR') throw errorOf(target, event.object);
      if (event.type === 'BOOKMARK') {
        yield bookmarkSchema.parse(event.object).metadata.resourceVersion;
        continue;
      }
      const object = objectSchema.parse(event.object);
      if (event.type === 'DELETED') listener.deleted(slim(object));
      else listener.changed(slim(object));
      yield object.metadata.resourceVersion;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    answer.destroy();
  }
}

async function* lines(answer: IncomingMessage, silenceSeconds: number): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const timer = setTimeout(
    () => answer.destroy(new Error(`nothing was heard for ${silenceSeconds} s`)),
    silenceSeconds * 1000,
  );
  timer.unref();
  try {
    for await (const chunk of answer) {
      timer.refresh();
      const parts = (rest + decoder.write(chunk as Buffer)).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) if (part.trim() !== '') yield part;
    }
  } finally {
    clearTimeout(timer);
  }
}

function errorOf(target: WatchTarget, object: unknown): KubernetesError {
  const { code, reason, message } = errorObjectSchema.parse(object);
  return new KubernetesError(
    `WATCH ${target.path}`,
    code ?? 0,
    reason ?? '',
    message ?? 'the watch ended with an error',
  );
}

/** The record of who wrote which field is half of an object's size, and nothing here reads it. */
function slim(object: KubernetesObject): KubernetesObject {
  delete object.metadata['managedFields'];
  return object;
}

async function idle(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
