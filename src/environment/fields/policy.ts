/** Rules that plans of an environment have to keep, beside it: expressions of CEL. */
import { z } from 'zod';
import { OPERATIONS } from '../../contract/operations/plan.ts';
import { POLICY_EFFECTS } from '../../contract/admission/policy.ts';
import { expressionProblem, POLICY_SUBJECTS, readsObjects } from './formats/expressions.ts';
import { oneLine } from './formats/texts.ts';

const ruleSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?$/, 'has to be small letters, digits and dashes, at most 60')
      .describe('What is named where it is broken'),
    for: z
      .enum(POLICY_SUBJECTS)
      .default('plan')
      .describe(
        'Asked once for the plan, or for each service that it changes, image that it applies, step that it has, object that it changes, field of it',
      ),
    rule: z
      .string()
      .min(1)
      .max(10_000)
      .describe('Expression of CEL that has to be true: plan, now, and what it is asked for'),
    effect: z
      .enum(POLICY_EFFECTS)
      .default('deny')
      .describe('deny: a plan that breaks it is refused; ask: it only passes no gate by itself'),
    message: oneLine().optional().describe('For whoever is refused: what to do'),
    operations: z
      .array(z.enum(OPERATIONS))
      .min(1)
      .default([...OPERATIONS])
      .describe('Plans of which operations'),
  })
  .superRefine(({ rule, for: subject, operations }, context) => {
    const message = expressionProblem(rule, subject);
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['rule'], message });
    if (readsObjects({ rule, for: subject }) && !operations.includes('deploy'))
      context.addIssue({
        code: 'custom',
        path: ['operations'],
        message: 'has to hold deploy: what is changed of single objects is known of deployments alone',
      });
  });

export const policySchema = z
  .array(ruleSchema)
  .default([])
  .superRefine((rules, context) => {
    rules.forEach(({ name }, index) => {
      if (rules.findIndex((rule) => rule.name === name) < index)
        context.addIssue({ code: 'custom', path: [index, 'name'], message: `names one again: ${name}` });
    });
  })
  .describe('Rules that every plan has to keep before anything is touched');
