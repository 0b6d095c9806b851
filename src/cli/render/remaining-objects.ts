/** What is left after a destruction, and what to do about it. Pure. */
import type { OperationResult, RemainingObject } from '../../contract/operations/deploy.ts';
import { commandLine, wrap } from '../shared/format.ts';
import type { Style } from '../shared/terminal.ts';

/** Hanging objects first, then what was kept, alike ones together. */
export function remainingObjectLines(
  { remains, outcome }: Pick<OperationResult, 'remains' | 'outcome'>,
  { style, columns }: { style: Style; columns: number },
): string[] {
  if (remains === undefined)
    return outcome === 'failed' || outcome === 'cancelled'
      ? [
          '',
          ...wrap(
            'Secrets, definitions and namespaces were not touched: they go when all releases have gone.',
            columns - 4,
          ).map((line) => `  ${line}`),
        ]
      : [];
  const stuck = remains.filter(({ state }) => state === 'stuck');
  const kept = remains.filter(({ state }) => state === 'kept');
  const lines = stuck.flatMap((one) => [
    '',
    style('bad', `✘ ${nameOf(one)} does not go away`),
    ...wrap(one.reason, columns - 4).map((line) => `  ${line}`),
  ]);
  if (kept.length === 0 && stuck.length === 0) return ['', '  Nothing of the platform is left in the cluster.'];
  if (kept.length > 0)
    lines.push(
      '',
      'Left in the cluster:',
      ...byReason(kept).flatMap(([reason, objects]) =>
        wrap(`${objects.map(nameOf).join(', ')}: ${reason}`, columns - 6).map(
          (line, index) => `${index === 0 ? '  - ' : '    '}${line}`,
        ),
      ),
    );
  return lines;
}

/** Commands that make sense now. */
export function afterDestruction({
  environment,
  outcome,
  remains,
}: Pick<OperationResult, 'environment' | 'outcome' | 'remains'>): [line: string, does: string][] {
  const env = ['--env', environment];
  if (outcome === 'failed' || outcome === 'cancelled')
    return [
      [commandLine('destroy', ...env), 'goes on with what is left'],
      [commandLine('doctor', ...env), 'is the local stack in order?'],
    ];
  const data = remains?.some(({ kind }) => kind === 'PersistentVolumeClaim') === true;
  return [
    [
      commandLine('deploy', ...env),
      data
        ? 'deploys again, over the volumes that stayed: same data, same passwords'
        : 'deploys anew, with new passwords',
    ],
    [commandLine('status', ...env), 'how things stand'],
  ];
}

function nameOf({ kind, namespace, name }: RemainingObject): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function byReason(remains: readonly RemainingObject[]): [string, RemainingObject[]][] {
  const groups = new Map<string, RemainingObject[]>();
  for (const remain of remains) groups.set(remain.reason, [...(groups.get(remain.reason) ?? []), remain]);
  return [...groups];
}
