/** What a rotation will do, for the person who decides. Pure. */
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { count, oneLine, wrap } from '../shared/format.ts';
import type { JsonLine } from '../render/json.ts';

export function previewLines(plan: OperationPlan, columns: number): string[] {
  const { environment, notes = [] } = plan;
  const secrets = secretsOf(plan);
  const readers = readersOf(plan);
  return [
    '',
    ...wrap(
      secrets.length === 0
        ? `Nothing in ${environment} is to be rotated.`
        : `${count(secrets.length, 'secret')} of ${environment} ${secrets.length === 1 ? 'gets a new value' : 'get new values'}:`,
      columns,
    ),
    ...secrets.map(({ path, key, server }) => `  ${path} ${key}   (kept by ${server})`),
    ...(secrets.length === 0
      ? []
      : wrap(
          readers.length === 0
            ? 'Nobody has to be restarted for that.'
            : `Restarted in the order of the graph, with the former value still good: ${readers.join(', ')}. Then the former value is refused.`,
          columns,
        )),
    ...notes.flatMap((note) => wrap(`Note: ${oneLine(note)}`, columns)),
    '',
  ];
}

export function previewJson(plan: OperationPlan): JsonLine {
  return {
    type: 'preview',
    environment: plan.environment,
    secrets: secretsOf(plan),
    restarts: readersOf(plan),
    notes: plan.notes ?? [],
  };
}

function secretsOf({ steps = [] }: OperationPlan): { path: string; key: string; server: string }[] {
  return steps.flatMap(({ kind, secret, service = '' }) =>
    kind === 'rotate-add' && secret !== undefined ? [{ ...secret, server: service }] : [],
  );
}

function readersOf({ services }: OperationPlan): string[] {
  return services.flatMap(({ steps }) => steps.filter(({ action }) => action === 'restart').map(({ name }) => name));
}
