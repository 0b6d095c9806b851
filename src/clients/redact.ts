/**
 * Keeps secret values out of every text that leaves the process: those that the process has seen, and what looks like a
 * secret wherever it stands.
 */
import { withoutNamedSecrets, withoutSecretForms } from '../plan/diff/sensitive.ts';

export interface Redactor {
  /**
   * Remembers a value for as long as the process lives. Values shorter than 6 characters would tear texts apart and are
   * left.
   */
  learn(...values: (string | undefined)[]): void;
  /** Replaces every known value, plain or as base64. */
  redact(text: string): string;
  /** The same for what others' programs wrote (logs, events): values behind names that sound secret go as well. */
  redactForeign(text: string): string;
}

const SHORTEST = 6;
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
        known.add(value);
        known.add(Buffer.from(value).toString('base64'));
        pattern = undefined;
      }
    },
    redact: (text) => withoutSecretForms(withoutKnown(text), hide),
    redactForeign: (text) => withoutNamedSecrets(withoutKnown(text), hide),
  };
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
