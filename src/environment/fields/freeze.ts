/** When an environment is left alone: recurring and one-off windows in a time zone, and exceptions to them. */
import { z } from 'zod';
import { OPERATIONS } from '../../contract/operations/plan.ts';
import { momentProblem, nextMoment } from './formats/moments.ts';
import { timeZone } from './formats/schedule.ts';
import { oneLine, seconds } from './formats/texts.ts';

const moment = z.string().superRefine((text, context) => {
  const message = momentProblem(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

const isCron = (text: string): boolean => /\s/.test(text.trim());

const windowSchema = z
  .strictObject({
    name: oneLine(60).describe('For people: the name that is shown while it lasts'),
    from: moment.describe('Begin: a cron expression of five fields, or one date and time as in 2026-12-18T18:00'),
    to: moment.describe('End, of the same kind'),
    timeZone: timeZone.optional().describe('Absent: freeze.timeZone'),
  })
  .superRefine(({ from, to }, context) => {
    if (momentProblem(from) !== undefined || momentProblem(to) !== undefined) return;
    if (from === to) context.addIssue({ code: 'custom', path: ['to'], message: 'is the same as from' });
    else if (isCron(from) !== isCron(to))
      context.addIssue({ code: 'custom', path: ['to'], message: 'has to be of the same kind as from' });
    else if (!isCron(from) && (nextMoment(from, 'UTC', 0) ?? 0) >= (nextMoment(to, 'UTC', 0) ?? 0))
      context.addIssue({ code: 'custom', path: ['to'], message: 'has to be later than from' });
  });

const exceptionSchema = z
  .strictObject({
    from: moment,
    to: moment,
    reason: oneLine().describe('For whoever reads this later'),
    timeZone: timeZone.optional(),
  })
  .superRefine(({ from, to }, context) => {
    for (const [key, text] of Object.entries({ from, to }))
      if (isCron(text))
        context.addIssue({ code: 'custom', path: [key], message: 'has to be a date and time as in 2026-12-22T10:00' });
    if (momentProblem(from) !== undefined || momentProblem(to) !== undefined || isCron(from) || isCron(to)) return;
    if ((nextMoment(from, 'UTC', 0) ?? 0) >= (nextMoment(to, 'UTC', 0) ?? 0))
      context.addIssue({ code: 'custom', path: ['to'], message: 'has to be later than from' });
  });

export const freezeSchema = z
  .strictObject({
    timeZone: timeZone.default('UTC'),
    onFrozen: z
      .enum(['wait', 'refuse'])
      .default('refuse')
      .describe('What becomes of an operation meanwhile: it waits for the end of the freeze, or is refused'),
    waitSeconds: seconds()
      .default(14 * 86_400)
      .describe('With onFrozen: wait, an operation that has waited for so long is refused'),
    allow: z.array(z.enum(OPERATIONS)).default([]).describe('Operations that no freeze holds up, such as rollback'),
    windows: z.array(windowSchema).min(1).describe('While one of them lasts, nothing is changed'),
    exceptions: z.array(exceptionSchema).default([]).describe('Times at which no window counts'),
  })
  .describe('When nothing is changed; drift is reported meanwhile, and not repaired');

export type Freeze = z.infer<typeof freezeSchema>;
