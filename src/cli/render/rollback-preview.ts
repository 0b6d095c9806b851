/** What a rollback will do, for the person who decides. Pure. */
import type { OperationPlan, PlannedStep } from '../../contract/operations/plan.ts';
import { isNoop } from '../../plan/progress.ts';
import { count, duration, oneLine, truncate, wrap } from '../shared/format.ts';
import type { JsonLine } from './json.ts';

const VERBS: Partial<Record<PlannedStep['action'], string>> = {
  rollback: 'back',
  remove: 'remove',
  verify: 'wait for',
};

export function previewLines(plan: OperationPlan, columns: number): string[] {
  const todo = stepsOf(plan);
  const width = Math.max(0, ...todo.map(({ name }) => name.length));
  const headline =
    todo.length === 0
      ? `Everything in ${plan.environment} is as in version ${plan.toVersion ?? '?'}.`
      : `${plan.environment} goes back to version ${plan.toVersion ?? '?'}: ${count(todo.length, 'release')} of ${count(new Set(todo.map(({ service }) => service)).size, 'service')}, dependents first, about ${duration(plan.criticalPathSeconds)} or more.`;
  return [
    '',
    ...wrap(headline, columns),
    ...todo.map(({ name, action, reason }) =>
      truncate(`  ${(VERBS[action] ?? action).padEnd(8)}  ${name.padEnd(width)}  ${oneLine(reason)}`, columns),
    ),
    ...(plan.unhealthy ?? []).flatMap(({ service, reason }) =>
      wrap(`Not well now, its evidence is kept first: ${service} (${oneLine(reason)})`, columns),
    ),
    ...(plan.notes ?? []).flatMap((note) => wrap(`Note: ${oneLine(note)}`, columns)),
    '',
  ];
}

export function previewJson(plan: OperationPlan): JsonLine {
  return {
    type: 'preview',
    environment: plan.environment,
    toVersion: plan.toVersion,
    steps: stepsOf(plan).map(({ service, name, namespace, action, reason, toRevision }) => ({
      service,
      release: name,
      namespace,
      action,
      reason,
      toRevision,
    })),
    unhealthy: plan.unhealthy ?? [],
    notes: plan.notes ?? [],
  };
}

/** Dependents first, as they will be done. */
function stepsOf({ services }: OperationPlan): (PlannedStep & { service: string })[] {
  return services
    .filter(({ action }) => !isNoop(action))
    .toSorted((a, b) => b.remainingSeconds - a.remainingSeconds)
    .flatMap((service) =>
      service.steps.filter(({ action }) => !isNoop(action)).map((step) => ({ ...step, service: service.name })),
    );
}
