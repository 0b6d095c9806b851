/** Rules as expressions of CEL, as in Kubernetes' admission policies. Pure. */
import { createRequire } from 'node:module';
import type { Environment, ParseResult } from '@marcbachmann/cel-js';

/** About what a rule is asked: once for the plan, or once for each of its parts. */
export const POLICY_SUBJECTS = ['plan', 'service', 'image', 'step', 'object', 'field'] as const;
export type PolicySubject = (typeof POLICY_SUBJECTS)[number];

/** Limits on the size of an expression, so that its evaluation ends quickly. */
const LIMITS = { maxAstNodes: 2000, maxDepth: 100, maxListElements: 1000, maxMapEntries: 1000, maxCallArguments: 32 };

const environments = new Map<PolicySubject, Environment>();

function environmentOf(subject: PolicySubject): Environment {
  const known = environments.get(subject);
  if (known !== undefined) return known;
  // Every command reads environments, and hardly any has rules: those alone wait for the library.
  const cel = createRequire(import.meta.url)('@marcbachmann/cel-js') as typeof import('@marcbachmann/cel-js');
  const made = new cel.Environment({ limits: LIMITS })
    .registerVariable('plan', 'dyn')
    .registerVariable('now', 'google.protobuf.Timestamp');
  if (subject !== 'plan') made.registerVariable(subject, 'dyn');
  if (subject === 'field') made.registerVariable('object', 'dyn');
  environments.set(subject, made);
  return made;
}

/** @returns what is wrong with it, for a message that begins with the field; undefined: nothing */
export function expressionProblem(text: string, subject: PolicySubject): string | undefined {
  const { valid, type, error } = environmentOf(subject).check(text);
  if (!valid) return `is no expression of CEL: ${(error?.message ?? '').split('\n')[0] ?? ''}`;
  if (type !== 'bool' && type !== 'dyn') return `has to be true or false, and is of type ${String(type)}`;
  return undefined;
}

/** @throws Error for an expression that is none */
export function compiled(text: string, subject: PolicySubject): ParseResult {
  return environmentOf(subject).parse(text);
}

/** Whether it has to be known what a plan changes of single objects: that costs a comparison with all of them. */
export function readsObjects({ for: subject, rule }: { for: PolicySubject; rule: string }): boolean {
  return subject === 'object' || subject === 'field' || /\bplan\s*(\.\s*objects\b|\[\s*["']objects)/.test(rule);
}
