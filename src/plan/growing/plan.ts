/** A plan with the volumes that grow in it. Pure. */
import type { Growth } from '../../contract/growing.ts';
import type { OperationPlan, PlannedStep } from '../../contract/operations/plan.ts';
import { PlanRefusedError } from '../charts/source.ts';
import { APPLYING } from '../diff/services.ts';
import { releaseKey } from '../observed.ts';
import type { DecidedGrowth } from './decide.ts';
import { growthWords } from './words.ts';

/** Same key as elsewhere: `<namespace>/<release>`. */
export type GrowthByRelease = ReadonlyMap<string, DecidedGrowth>;

/**
 * @returns the plan as it was where nothing of what it applies grows
 * @throws PlanRefusedError with everything that cannot be done: then nothing was touched
 */
export function withGrowth(plan: OperationPlan, growth: GrowthByRelease): OperationPlan {
  if (growth.size === 0) return plan;
  const of = ({ kind, namespace, name, action }: PlannedStep): DecidedGrowth | undefined =>
    kind === 'release' && APPLYING.includes(action) ? growth.get(releaseKey(namespace, name)) : undefined;
  const steps = plan.services.flatMap((service) => service.steps);
  refuse(
    plan.environment,
    steps.flatMap((step) => (of(step)?.refused ?? []).map((why) => `  ${step.namespace}/${step.name}: ${why}`)),
  );
  const notes = steps.flatMap((step) => {
    const found = of(step);
    if (found === undefined) return [];
    const grows = isGrowth(found) ? [`${growthWords(found)}.`] : [];
    return [...grows, ...found.notes.map((note) => `${note}.`)].map((note) => `${step.name}: ${note}`);
  });
  const services = plan.services.map((service) => {
    if (!service.steps.some((step) => of(step) !== undefined)) return service;
    return {
      ...service,
      steps: service.steps.map((step) => {
        const found = of(step);
        if (found === undefined || !isGrowth(found)) return step;
        return { ...step, grow: { claims: found.claims, sets: found.sets } };
      }),
    };
  });
  return { ...plan, services, ...(notes.length === 0 ? {} : { notes: [...(plan.notes ?? []), ...notes] }) };
}

function isGrowth({ claims, sets }: Growth): boolean {
  return claims.length > 0 || sets.length > 0;
}

function refuse(environment: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new PlanRefusedError(
    [
      `The volumes of "${environment}" cannot become as its file says:`,
      ...problems,
      'Nothing was changed. Sizes stand in storage.sizes of the environment, else in the catalog, or in values of the release.',
    ].join('\n'),
  );
}
