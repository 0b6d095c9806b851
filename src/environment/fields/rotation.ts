/** What an environment says about the age of generated secrets. */
import { z } from 'zod';
import { cronExpression, timeZone } from './formats/schedule.ts';
import { refuseRepetitions } from './formats/texts.ts';

const HOUR = 3600;
const TEN_YEARS = 3650 * 24 * HOUR;

const cron = cronExpression('0 3 * * 0');

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
    timeZone: timeZone.default('UTC').describe('Of cron'),
  })
  .describe('How old generated secrets may get');

export type RotationSettings = z.infer<typeof rotationSchema>;
