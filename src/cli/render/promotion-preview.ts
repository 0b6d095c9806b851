/** What a promotion will do to its target, for the person who decides. Pure. */
import type { OperationPlan, PlannedStep } from '../../contract/operations/plan.ts';
import type { PlatformVersion } from '../../contract/version.ts';
import { isNoop } from '../../plan/progress.ts';
import { count, duration, oneLine, truncate, wrap } from '../shared/format.ts';
import type { JsonLine } from './json.ts';

export interface ShownPromotion {
  plan: OperationPlan;
  version: PlatformVersion;
  /** What a person should know, one line each. */
  notes: readonly string[];
  /** Tag or digest by release. */
  imageTags: Readonly<Record<string, string>>;
}

export function promotionLines({ plan, version, notes }: ShownPromotion, columns: number): string[] {
  const todo = stepsOf(plan);
  const width = Math.max(0, ...todo.map(({ name }) => name.length));
  const origin = `version ${version.version} of ${version.environment} (cluster ${version.clusterUid.slice(0, 8)}, ${version.at.slice(0, 16).replace('T', ' ')} UTC, by ${version.requestedBy})`;
  const services = new Set(todo.map(({ service }) => service)).size;
  const headline =
    todo.length === 0
      ? `${plan.environment} holds what ${origin} does.`
      : `${plan.environment} gets ${origin}: ${count(todo.length, 'release')} of ${count(services, 'service')}, with the values of ${plan.environment}.`;
  return [
    '',
    ...wrap(headline, columns),
    ...todo.map(({ name, action, reason }) =>
      truncate(`  ${action.padEnd(8)}  ${name.padEnd(width)}  ${withoutDigests(reason)}`, columns),
    ),
    ...(todo.length === 0
      ? []
      : wrap(`About ${duration(plan.criticalPathSeconds)} or more. Plan ${plan.digest}.`, columns)),
    ...[...notes, ...(plan.notes ?? [])].flatMap((note) => wrap(`Note: ${oneLine(note)}`, columns)),
    '',
  ];
}

export function promotionJson({ plan, version, notes, imageTags }: ShownPromotion): JsonLine {
  return {
    type: 'preview',
    environment: plan.environment,
    promotedFrom: { environment: version.environment, version: version.version, clusterUid: version.clusterUid },
    digest: plan.digest,
    imageTags,
    steps: stepsOf(plan).map(({ service, name, namespace, action, reason }) => ({
      service,
      release: name,
      namespace,
      action,
      reason,
    })),
    notes: [...notes, ...(plan.notes ?? [])],
  };
}

function withoutDigests(reason: string): string {
  return oneLine(reason).replace(/: [0-9a-f]{16} is deployed, [0-9a-f]{16} is wanted$/, '');
}

function stepsOf({ services }: OperationPlan): (PlannedStep & { service: string })[] {
  return services
    .filter(({ action }) => !isNoop(action))
    .flatMap((service) =>
      service.steps.filter(({ action }) => !isNoop(action)).map((step) => ({ ...step, service: service.name })),
    );
}
