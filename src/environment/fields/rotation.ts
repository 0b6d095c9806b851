/** What an environment says about the age of generated secrets. */
import { z } from 'zod';
import { isTimeZone, momentProblem } from './moments.ts';
import { refuseRepetitions } from './texts.ts';

const HOUR = 3600;
const TEN_YEARS = 3650 * 24 * HOUR;

const cron = z.string().superRefine((text, context) => {
  const message = /\s/.test(text.trim())
    ? momentProblem(text)
    : 'has to be a cron expression of five fields, as in "0 3 * * 0"';
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

export const rotationSchema = z
  .strictObject({
    olderThanSeconds: z
      .number()
      .int()
      .min(HOUR)
      .max(TEN_YEARS)
      .describe('Generated values that are older are too old: 7776000 is 90 days'),
    paths: z
      .array(z.string().min(1))
      .min(1)
      .superRefine(refuseRepetitions)
      .optional()
      .describe('Paths below secret/ that this is about; absent: every value that can be rotated'),
    cron: cron
      .optional()
      .describe('When workers rotate what is too old by themselves, as in "0 3 * * 0"; absent: drift reports it'),
    timeZone: z
      .string()
      .refine(isTimeZone, 'is no time zone of the IANA data base, as in Europe/Berlin')
      .default('UTC')
      .describe('Of cron'),
  })
  .describe('How old generated secrets may get');

export type RotationSettings = z.infer<typeof rotationSchema>;
