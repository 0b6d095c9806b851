/** What rules say of a plan: each with the objects that break it, and the fields that it has read of them. Pure. */
import type { Operation } from '../../contract/operations/plan.ts';
import type { PolicyVerdict, PolicyViolation } from '../../contract/admission/policy.ts';
import { type Tree, valueAt } from '../../environment/files/merge.ts';
import { compiled, type PolicySubject, readsObjects } from '../../environment/fields/formats/expressions.ts';
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

/** Somebody has to read them, and they go with the plan. */
const MOST_VIOLATIONS = 20;
const LONGEST = 200;

/**
 * Rules about objects are asked of deployments alone; other rules that do not concern the operation are left out.
 * @param now of the clock that the rules go by
 */
export function verdictsOf(
  rules: readonly PolicyRule[],
  operation: Operation,
  facts: Facts,
  now: Date,
): PolicyVerdict[] {
  return rules
    .filter((rule) => rule.operations.includes(operation) && (operation === 'deploy' || !readsObjects(rule)))
    .map((rule) => verdictOf(rule, facts, now));
}

function verdictOf(rule: PolicyRule, facts: Facts, now: Date): PolicyVerdict {
  const { name, for: subject, effect, message } = rule;
  const verdict: PolicyVerdict = { rule: name, effect, violations: [], ...(message === undefined ? {} : { message }) };
  try {
    if (readsObjects(rule) && !Array.isArray(facts.objects))
      throw new Error(`objects are not known: ${facts.objects ?? 'nobody has looked at them'}`);
    const holds = compiled(rule.rule, subject);
    let more = 0;
    for (const asked of askedOf(subject, facts)) {
      const said: unknown = holds({ plan: facts.plan, now, ...asked });
      if (typeof said !== 'boolean')
        return { ...verdict, problem: `it says ${shown(said)}, which is neither true nor false` };
      if (said) continue;
      if (verdict.violations.length < MOST_VIOLATIONS) verdict.violations.push(violation(rule, asked, facts));
      else more += 1;
    }
    if (more > 0) verdict.violations.push({ object: `and ${more} more`, fields: [] });
    return verdict;
  } catch (error) {
    // A rule that could not be evaluated counts as broken.
    return { ...verdict, problem: (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '' };
  }
}

/** Variables of each question, beside the plan and the time. */
type Asked = Partial<Record<Exclude<PolicySubject, 'plan'>, Tree>>;

function askedOf(subject: PolicySubject, { services, images, steps, objects }: Facts): Asked[] {
  const changed = Array.isArray(objects) ? objects : [];
  switch (subject) {
    case 'plan':
      return [{}];
    case 'service':
      return services.map((service) => ({ service }));
    case 'image':
      return images.map((image) => ({ image: image as unknown as Tree }));
    case 'step':
      return steps.map((step) => ({ step }));
    case 'object':
      return changed.map((object) => ({ object }));
    case 'field':
      return changed.flatMap((object) => (object['fields'] as Tree[]).map((field) => ({ object, field })));
  }
}

function violation({ for: subject, rule }: PolicyRule, asked: Asked, { plan }: Facts): PolicyViolation {
  const { field } = asked;
  if (field !== undefined) {
    const { path, before, after } = field;
    return { object: objectName(asked), fields: [`${String(path)}: ${shown(before)} → ${shown(after)}`] };
  }
  const read = rule.match(new RegExp(`(?<![\\w."'])${subject}(\\.[a-zA-Z_]\\w*)+(?!\\w*\\()`, 'g')) ?? [];
  const fields = [...new Set(read)].flatMap((path) => {
    const value = valueAt({ plan, ...asked }, path.split('.'));
    return value === undefined || typeof value === 'object' ? [] : [`${path} = ${shown(value)}`];
  });
  return { object: subject === 'plan' ? 'plan' : objectName(asked), fields };
}

function objectName({ service, image, step, object }: Asked): string {
  if (service) return `service ${String(service['name'])}`;
  if (image) return `image ${String(image['reference'])} of ${String(image['release'])}`;
  if (step) return `step ${String(step['id'])}`;
  const { kind, namespace, name, service: owner } = object ?? {};
  return `${String(kind)} ${namespace === '' ? '' : `${String(namespace)}/`}${String(name)} of ${String(owner)}`;
}

function shown(value: unknown): string {
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST - 1)}…` : value);
}
