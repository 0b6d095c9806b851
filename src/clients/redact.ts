/**
 * Keeps secret values out of every text that leaves the process: those that the process has seen, and what looks like a
 * secret wherever it stands.
 */
import { withoutNamedSecrets, withoutSecretForms } from '../plan/diff/sensitive.ts';

export interface Redactor {
  /**
   * Remembers a value for as long as the process lives. Values shorter than 6 characters are not replaced: they occur
   * within ordinary words.
   */
  learn(...values: (string | undefined)[]): void;
  /** Replaces every known value, plain or as JSON, addresses and base64 write it. */
  redact(text: string): string;
  /** The same for what others' programs wrote (logs, events): values behind names that sound secret go as well. */
  redactForeign(text: string): string;
}

const SHORTEST = 6;
const SHORTEST_LINE = 16;
const HIDDEN = '[redacted]';
const hide = (): string => HIDDEN;

export function createRedactor(): Redactor {
  const known = new Set<string>();
  let pattern: RegExp | undefined;
  const withoutKnown = (text: string): string => {
    if (known.size === 0) return text;
    // Longest first, so that a value that contains another one disappears as a whole.
    pattern ??= new RegExp(
      [...known]
        .sort((a, b) => b.length - a.length)
        .map(escape)
        .join('|'),
      'g',
    );
    return text.replace(pattern, HIDDEN);
  };
  return {
    learn: (...values) => {
      for (const value of values) {
        if (value === undefined || value.length < SHORTEST || known.has(value)) continue;
        for (const form of formsOf(value)) known.add(form);
        pattern = undefined;
      }
    },
    redact: (text) => withoutSecretForms(withoutKnown(text), hide),
    redactForeign: (text) => withoutNamedSecrets(withoutKnown(text), hide),
  };
}

/** As programs write it. */
function formsOf(value: string): string[] {
  const inJson = quoted(value);
  return [value, ...linesOf(value)]
    .flatMap((text) => [text, encodeURIComponent(text.toWellFormed())])
    .concat(
      inJson,
      quoted(inJson),
      (['base64', 'base64url'] as const).flatMap((encoding) => {
        const encoded = Buffer.from(value).toString(encoding);
        return [encoded, encoded.replace(/=+$/, '')];
      }),
    );
}

const quoted = (text: string): string => JSON.stringify(text).slice(1, -1);

/** Logs are read line by line. What begins and ends a key says nothing. */
function linesOf(value: string): string[] {
  return value.includes('\n')
    ? value.split('\n').filter((line) => line.trim().length >= SHORTEST_LINE && !line.startsWith('-----'))
    : [];
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
