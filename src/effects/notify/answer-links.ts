/**
 * Links with which a question is answered: what they are for is signed (HMAC-SHA256) with a key of the environment.
 * They are made when a notification is delivered, and stored nowhere: whoever reads histories has none.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { AnswerLink, Notification } from '../../contract/notifications.ts';
import { ANSWERS, answersTo, LOOK } from '../../plan/notify/answers.ts';
import { tryJson } from '../../try-json.ts';

/** Short names: all of it stands in an address. */
const claimsSchema = z.strictObject({
  /** Environment. */
  e: z.string(),
  /** Workflow and run of the operation. */
  w: z.string(),
  r: z.string(),
  /** Target of the notification. */
  t: z.string(),
  /** Seconds since the epoch: good until then. */
  x: z.number().int(),
  a: z.enum([...ANSWERS, LOOK]),
  /** Service, and since when it is asked about: of a question. */
  s: z.string().optional(),
  q: z.string().optional(),
  /** Name of the gate, and the plan's digest. */
  g: z.string().optional(),
  d: z.string().optional(),
});
export type AnswerClaims = z.infer<typeof claimsSchema>;

/** A key that can be guessed lets anybody answer. */
const LEAST_KEY = 32;
const LONGEST_TOKEN = 2000;

/** @throws DeployError InvalidInput for a key that is too short */
export function checkedKey(key: string): string {
  if (key.trim().length >= LEAST_KEY) return key.trim();
  throw new DeployError(
    FAILURES.invalidInput,
    `notify.links.key is shorter than ${LEAST_KEY} characters: openssl rand -base64 32 makes one`,
  );
}

export function signedToken(key: string, claims: AnswerClaims): string {
  const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `${body}.${signature(key, 'link', body).toString('base64url')}`;
}

/** @param now milliseconds since the epoch */
export function readToken(
  key: string,
  token: string,
  now: number,
): { claims: AnswerClaims } | { wrong: 'forged' | 'expired' } {
  const [body = '', given = '', ...more] = token.split('.');
  if (token.length > LONGEST_TOKEN || more.length > 0) return { wrong: 'forged' };
  if (!same(Buffer.from(given, 'base64url'), signature(key, 'link', body))) return { wrong: 'forged' };
  const read = claimsSchema.safeParse(tryJson(Buffer.from(body, 'base64url').toString('utf8')));
  if (!read.success) return { wrong: 'forged' };
  return read.data.x * 1000 <= now ? { wrong: 'expired' } : { claims: read.data };
}

/** Proves that a form is of the page that was shown for this link. */
export function formProof(key: string, token: string): string {
  return signature(key, 'form', token).toString('base64url');
}

export function isFormProof(key: string, token: string, given: string): boolean {
  return same(Buffer.from(given, 'base64url'), signature(key, 'form', token));
}

/** None where nothing is asked, or its time is over. @param base where the answers are taken */
export function answerLinks(
  key: string,
  base: string,
  target: string,
  { asks, environment, workflowId, runId }: Notification,
  now: number,
): AnswerLink[] {
  if (asks === undefined || Date.parse(asks.until) <= now) return [];
  const about = asks.kind === 'question' ? { s: asks.service, q: asks.since } : { g: asks.gate, d: asks.digest };
  const common = { e: environment, w: workflowId, r: runId, t: target, x: Math.floor(Date.parse(asks.until) / 1000) };
  return answersTo(asks).map(({ answer, label }) => ({
    answer,
    label,
    url: `${base.replace(/\/+$/, '')}/answer/${signedToken(key, { ...common, a: answer, ...about })}`,
  }));
}

/** For texts that are kept. */
export function withoutLinks(text: string): string {
  return text.replaceAll(/answer\\?\/[A-Za-z0-9_.-]+/g, 'answer/…');
}

/** What is signed says what it is for: a proof of one kind is none of another. */
function signature(key: string, purpose: 'link' | 'form', text: string): Buffer {
  return createHmac('sha256', key).update(`ananta-answer.v1.${purpose}.${text}`).digest();
}

function same(given: Buffer, wanted: Buffer): boolean {
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
