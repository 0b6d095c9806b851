/** When something begins by itself, in the environment's file. */
import { z } from 'zod';
import { isTimeZone, momentProblem } from './moments.ts';

/** @param example for whoever wrote something else, as in `30 2 * * *` */
export function cronExpression(example: string): z.ZodType<string> {
  return z.string().superRefine((text, context) => {
    const message = /\s/.test(text.trim())
      ? momentProblem(text)
      : `has to be a cron expression of five fields, as in "${example}"`;
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

export const timeZone = z
  .string()
  .refine(isTimeZone, 'is no time zone of the IANA data base, as in Europe/Berlin')
  .describe('Name in the IANA data base, as in Europe/Berlin');
