/** Gates of an environment: whose approval an operation needs before it does anything. */
import { z } from 'zod';
import { OPERATIONS } from '../../contract/operations/plan.ts';
import { oneLine, seconds } from './formats/texts.ts';

const subject = z.union([
  oneLine(253).transform((user) => ({ user })),
  z.strictObject({ user: oneLine(253).describe('Name of a user as the API server knows it') }),
  z.strictObject({ group: oneLine(253).describe('Name of a group as the API server knows it') }),
]);

const gateSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, 'has to be small letters, digits and dashes, at most 40')
    .default('approval')
    .describe('For people, and for `approve --gate`'),
  by: z
    .array(subject)
    .min(1)
    .describe('Whose approval counts: names of users, or {group: NAME}, as the API server knows them'),
  count: z.number().int().min(1).max(20).default(1).describe('Approvals of so many people'),
  notSelf: z.boolean().default(true).describe('Whoever asked for the operation does not count'),
  expiresSeconds: seconds(1).default(86_400).describe('An approval counts for so long'),
  waitSeconds: seconds(1)
    .default(3 * 86_400)
    .describe('Without enough approvals for so long, the operation is refused'),
  autoApprove: z
    .enum(['policy'])
    .optional()
    .describe('policy: a plan that keeps all rules of the environment passes by itself'),
  operations: z
    .array(z.enum(OPERATIONS))
    .min(1)
    .default(['deploy', 'rollback', 'destroy', 'adopt', 'rotate'])
    .describe('Which operations need it'),
  services: z
    .array(z.string().min(1))
    .optional()
    .describe('Only where the plan changes one of these services; absent: whatever it changes'),
  phases: z
    .array(z.number().int().min(1))
    .optional()
    .describe('Only where the plan changes a service of one of these phases'),
});

export const approvalsSchema = z
  .union([gateSchema.transform((gate) => [gate]), z.array(gateSchema)])
  .superRefine((gates, context) => {
    gates.forEach(({ name, by, count }, index) => {
      if (gates.findIndex((gate) => gate.name === name) < index)
        context.addIssue({ code: 'custom', path: [index, 'name'], message: `names one again: ${name}` });
      if (by.every((one) => 'user' in one) && by.length < count)
        context.addIssue({
          code: 'custom',
          path: [index, 'count'],
          message: `is ${count}, and only ${by.length} are named (by)`,
        });
    });
  })
  .describe('Gates: an operation waits for approvals of people before it does anything');

export type Gate = z.infer<typeof gateSchema>;
