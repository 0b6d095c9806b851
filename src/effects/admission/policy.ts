import type { Catalog } from '../../catalog/schema.ts';
import type { OperationPlan, PlannedStep } from '../../contract/operations/plan.ts';
import type { Environment } from '../../environment/schema.ts';
import { writtenValues } from '../../plan/inputs/kubernetes-yaml.ts';
import type { ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import type { ReleaseChange } from '../../plan/diff/types.ts';
import type { RehearsalFact } from '../../plan/rehearsal/content.ts';
import { factsOf } from '../../plan/policy/facts.ts';
import { isBroken, verdictNotes } from '../../plan/policy/words.ts';
import { verdictsOf } from '../../plan/policy/verdicts.ts';

/**
 * What the environment's rules say of the plan goes with it. Not part of its digest: time alone may change it.
 * @param inputs of what is applied from the checkout
 * @param changes of its releases' objects, where rules ask for them
 * @param rehearsal what one has shown of it, where rules ask for that
 */
export function withVerdicts<Plan extends OperationPlan>(
  plan: Plan,
  catalog: Pick<Catalog, 'services'>,
  { policy, images }: Pick<Environment, 'policy' | 'images'>,
  inputs?: ReadonlyMap<string, Pick<ReleaseInputs, 'values'>>,
  changes?: ReadonlyMap<PlannedStep, ReleaseChange>,
  rehearsal?: RehearsalFact,
): Plan {
  if (policy.length === 0) return plan;
  const stateful = new Set(catalog.services.filter((service) => service.stateful).map(({ name }) => name));
  const values = inputs && new Map([...inputs].map(([name, input]) => [name, writtenValues(input.values)]));
  const facts = factsOf(plan, {
    stateful,
    licences: images.licences,
    ...(values ? { values } : {}),
    ...(changes ? { changes: ofServices(plan, changes) } : {}),
    ...(rehearsal ? { rehearsal } : {}),
  });
  const verdicts = verdictsOf(policy, plan.operation, facts, new Date());
  // Rules that refuse the plan are named by the refusal.
  const asking = verdicts.filter((verdict) => verdict.effect === 'ask' && isBroken(verdict));
  const notes = [...(plan.notes ?? []), ...verdictNotes(asking)];
  return { ...plan, verdicts, ...(notes.length === 0 ? {} : { notes }) };
}

function ofServices(
  { services }: OperationPlan,
  changes: ReadonlyMap<PlannedStep, ReleaseChange>,
): { service: string; release: ReleaseChange }[] {
  return services.flatMap(({ name, steps }) =>
    steps.flatMap((step) => {
      const release = changes.get(step);
      return release === undefined ? [] : [{ service: name, release }];
    }),
  );
}
