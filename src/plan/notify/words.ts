/** What notifications say of an operation. Pure, and without Node. */
import type { OperationResult, RunRef } from '../../contract/operations/deploy.ts';
import type { Operation, OperationPlan } from '../../contract/operations/plan.ts';
import { isNoop } from '../progress.ts';

export interface Words {
  title: string;
  lines: string[];
}

const MOST_NAMES = 20;
const NOUNS: Record<Operation, string> = {
  deploy: 'deployment',
  rollback: 'rollback',
  repair: 'repair',
  destroy: 'destruction',
  adopt: 'adoption',
  rotate: 'rotation of secrets',
};
/** As people say it: `The deployment to prod`. */
const PREPOSITIONS: Record<Operation, string> = {
  deploy: 'to',
  rollback: 'of',
  repair: 'of',
  destroy: 'of',
  adopt: 'on',
  rotate: 'of',
};

function operationText(operation: Operation, environment: string): string {
  return `The ${NOUNS[operation]} ${PREPOSITIONS[operation]} ${environment}`;
}

export function startWords(plan: Pick<OperationPlan, 'operation' | 'services' | 'digest'>, run: RunRef): Words {
  const { operation, services, digest } = plan;
  const touched = services.filter(({ action }) => !isNoop(action)).map(({ name, action }) => `${name} (${action})`);
  return {
    title: `${operationText(operation, run.environment)} begins`,
    lines: [
      ...(run.requestedBy === undefined ? [] : [`Asked for by ${run.requestedBy}.`]),
      `Plan ${digest}: ${touched.length} of ${services.length} services.`,
      ...(touched.length === 0 ? [] : [listed(touched)]),
    ],
  };
}

/** How it ended, whichever way. */
export function endWords(result: OperationResult): Words {
  const { operation, environment, outcome, seconds, version, supersededBy, failure, services, notes = [] } = result;
  const failed = services.filter(({ state }) => state === 'failed');
  if (outcome === 'failed')
    return {
      title: `${operationText(operation, environment)} failed`,
      lines: [
        ...(failure ? [failure.message] : []),
        ...failed.map(({ name, failure: why }) => `${name}: ${why?.message ?? 'failed'}`),
      ],
    };
  const changed = services.filter((service) => service.changed).map(({ name }) => name);
  return {
    title: `${operationText(operation, environment)} ${ENDS[outcome]} after ${Math.round(seconds)} s`,
    lines: [
      ...(supersededBy === undefined ? [] : [`Superseded by ${supersededBy}.`]),
      ...(version === undefined ? [] : [`Platform version ${version}.`]),
      changed.length === 0 ? 'Nothing was changed.' : `Changed: ${listed(changed)}`,
      ...notes,
    ],
  };
}

const ENDS: Record<Exclude<OperationResult['outcome'], 'failed'>, string> = {
  succeeded: 'succeeded',
  unchanged: 'found nothing to change',
  cancelled: 'was cancelled',
};

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}
