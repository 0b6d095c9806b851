/** Plain texts and numbers of environments, with their bounds. */
import { z } from 'zod';

/** @param most characters */
export const oneLine = (most = 500): z.ZodString =>
  z.string().superRefine((text, context) => {
    const problem =
      text.trim() === ''
        ? 'may not be empty'
        : /\p{Cc}/u.test(text)
          ? 'has to be one line, without control characters'
          : text.length > most
            ? `has ${text.length} characters: at most ${most}`
            : undefined;
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

/** A program with its arguments, as the system starts it: no shell reads it. */
export const program = z
  .array(z.string().regex(/^[^\0]*$/, 'holds a NUL byte'))
  .min(1)
  .refine(([first]) => first !== '', 'begins with an empty text: name a program');

/** Timers of Node end at 2^31 ms, and at once beyond that. */
const LONGEST_SECONDS = 14 * 86_400;
const longest = `${LONGEST_SECONDS} (14 days)`;

/** @param least 0.001 by default: nothing is waited for no time at all */
export const seconds = (least = 0.001): z.ZodNumber =>
  z
    .number()
    .positive()
    .min(least)
    .refine((value) => value <= LONGEST_SECONDS, `has to be at most ${longest}`);

/** Of an engine. Temporal takes nearly anything; what would break addresses, files and tables is refused. */
export const temporalNamespace = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/,
    'has to be the name of a namespace in Temporal: letters, digits, dots, underscores and dashes',
  );

/** The API server takes each name once. */
export function refuseRepetitions(names: readonly string[], context: z.RefinementCtx): void {
  names.forEach((name, index) => {
    if (names.indexOf(name) < index)
      context.addIssue({ code: 'custom', path: [index], message: `names one again: ${name}` });
  });
}
