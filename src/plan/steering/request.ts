/**
 * A request as it comes from outside, typed by hand into the Temporal UI perhaps. Pure. Without a library for schemas:
 * workflows validate, and each of them would load it anew, for a tenth of a second of processor.
 */
import {
  AFTER_FAILURE,
  LONGEST_EXTENSION_SECONDS,
  type SteerRequest,
  type SteerVerb,
} from '../../contract/operations/steering.ts';

const LONGEST_TEXT = 500;

/** What a field may hold: the value as it is taken, or what it has to be. */
type Reader = (value: unknown) => { value: unknown } | { has: string };

const text: Reader = (value) =>
  typeof value === 'string' && value.trim() !== '' && value.length <= LONGEST_TEXT
    ? { value: value.trim() }
    : { has: `a text of at most ${LONGEST_TEXT} characters` };
const place: Reader = (value) => text(Number.isInteger(value) ? String(value) : value);
const seconds: Reader = (value) =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= LONGEST_EXTENSION_SECONDS
    ? { value }
    : { has: `a whole number of seconds, from 1 to ${LONGEST_EXTENSION_SECONDS}` };
const end: Reader = (value) =>
  AFTER_FAILURE.some((known) => known === value) ? { value } : { has: `one of ${AFTER_FAILURE.join(', ')}` };

interface Shape {
  needs: Record<string, Reader>;
  may?: Record<string, Reader>;
}

const SHAPES: Record<SteerVerb, Shape> = {
  pause: { needs: { by: text, reason: text }, may: { at: place } },
  resume: { needs: { by: text }, may: { reason: text } },
  retry: { needs: { by: text, service: text }, may: { reason: text, question: text } },
  skip: { needs: { by: text, service: text, reason: text }, may: { question: text } },
  extend: { needs: { by: text, seconds }, may: { service: text, reason: text } },
  abandon: { needs: { by: text, service: text, reason: text }, may: { then: end, question: text } },
};

/** @returns the request, or the first thing that is wrong with it */
export function parseRequest(input: unknown): { request: SteerRequest } | { wrong: string } {
  const wrong = (what: string): { wrong: string } => ({ wrong: `The request is not valid: ${what}.` });
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return wrong('it has to be an object');
  const given = input as Record<string, unknown>;
  const shape = Object.entries(SHAPES).find(([verb]) => verb === given['verb'])?.[1];
  if (shape === undefined) return wrong(`verb has to be one of ${Object.keys(SHAPES).join(', ')}`);
  const readers: Record<string, Reader> = { ...shape.needs, ...shape.may };
  const odd = Object.keys(given).find((key) => key !== 'verb' && !(key in readers));
  if (odd !== undefined) return wrong(`${String(given['verb'])} takes no ${odd.slice(0, 50)}`);
  const request: Record<string, unknown> = { verb: given['verb'] };
  for (const [key, reader] of Object.entries(readers)) {
    if (given[key] === undefined && !(key in shape.needs)) continue;
    const read = reader(given[key]);
    if ('has' in read) return wrong(`${key} has to be ${read.has}`);
    request[key] = read.value;
  }
  return { request: request as unknown as SteerRequest };
}
