/** What rules say of a plan: each with the objects that break it, and the fields that it has read of them. Pure. */
import type { Operation } from '../../contract/operations/plan.ts';
import type { PolicyVerdict, PolicyViolation } from '../../contract/admission/policy.ts';
import { isTree, type Tree } from '../../environment/merge.ts';
import { compiled, type PolicySubject } from '../../environment/fields/expressions.ts';
import type { Facts } from './facts.ts';

/** As it stands in an environment's file, checked there. */
export interface PolicyRule {
  name: string;
  for: PolicySubject;
  rule: string;
  effect: PolicyVerdict['effect'];
  message?: string | undefined;
  operations: Operation[];
}

const NAME: Record<PolicySubject, string> = { plan: 'operation', service: 'name', image: 'reference', step: 'id' };

/** Rules that do not concern the operation are left out. @param now of the clock that the rules go by */
export function verdictsOf(
  rules: readonly PolicyRule[],
  operation: Operation,
  facts: Facts,
  now: Date,
): PolicyVerdict[] {
  return rules.filter(({ operations }) => operations.includes(operation)).map((rule) => verdictOf(rule, facts, now));
}

function verdictOf(rule: PolicyRule, facts: Facts, now: Date): PolicyVerdict {
  const { name, for: subject, effect, message } = rule;
  const verdict: PolicyVerdict = { rule: name, effect, violations: [], ...(message === undefined ? {} : { message }) };
  try {
    const holds = compiled(rule.rule, subject);
    for (const one of subjectsOf(subject, facts)) {
      const said: unknown = holds({ plan: facts.plan, now, ...(subject === 'plan' ? {} : { [subject]: one }) });
      if (typeof said !== 'boolean')
        return { ...verdict, problem: `it says ${shown(said)}, which is neither true nor false` };
      if (!said) verdict.violations.push(violation(rule, one));
    }
    return verdict;
  } catch (error) {
    // Nobody knows what it would have said.
    return { ...verdict, problem: (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '' };
  }
}

function subjectsOf(subject: PolicySubject, { plan, services, images, steps }: Facts): Tree[] {
  const all = { plan: [plan], service: services, image: images as unknown as Tree[], step: steps };
  return all[subject];
}

function violation({ for: subject, rule }: PolicyRule, object: Tree): PolicyViolation {
  const paths = [
    ...new Set(rule.match(new RegExp(`(?<![\\w."'])${subject}(\\.[a-zA-Z_]\\w*)+(?!\\w*\\()`, 'g')) ?? []),
  ];
  const fields = paths.flatMap((path) => {
    const value = valueAt(object, path.split('.').slice(1));
    return value === undefined || typeof value === 'object' ? [] : [`${path} = ${shown(value)}`];
  });
  const of = subject === 'image' ? ` of ${String(object['release'])}` : '';
  const name = subject === 'plan' ? 'plan' : `${subject} ${String(object[NAME[subject]])}${of}`;
  return { object: name, fields };
}

function valueAt(object: Tree, path: readonly string[]): unknown {
  let at: unknown = object;
  for (const key of path) at = isTree(at) ? at[key] : undefined;
  return at;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
