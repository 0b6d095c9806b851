/** The platform's namespaces: there, and with the labels that they must have. */
import type { DriftFinding } from '../../contract/drift.ts';
import { digestOf } from '../digest.ts';
import type { Ignore } from './ignore.ts';
import type { Judged } from './object.ts';
import { authorOf } from '../fields/managed.ts';
import { pathText, valueAtPath } from '../fields/path.ts';

/** @param labels that it must have @param live undefined where it is gone */
export function namespaceFindings(
  name: string,
  labels: Readonly<Record<string, string>>,
  live: unknown,
  ignore: Ignore,
): Judged {
  const subject = { kind: 'Namespace', name };
  const base = { area: 'namespace', object: `Namespace ${name}`, repair: 'namespace' as const };
  const deleting = valueAtPath(live, ['metadata', 'deletionTimestamp']);
  if (live === undefined || typeof deleting === 'string') {
    if (ignore(subject, []) !== undefined) return { findings: [], ignored: 1 };
    const { repair, ...told } = base;
    return {
      ignored: 0,
      findings: [
        {
          key: `namespace/${name}`,
          kind: 'missing',
          valueDigest: digestOf(deleting ?? 'absent'),
          ...(live === undefined
            ? { ...told, repair }
            : { ...told, note: 'it is being deleted, with all that is in it' }),
        },
      ],
    };
  }
  let ignored = 0;
  const findings = Object.entries(labels).flatMap(([label, was]): DriftFinding[] => {
    const path = ['metadata', 'labels', label];
    const is = valueAtPath(live, path);
    if (is === was) return [];
    if (ignore(subject, path) !== undefined) {
      ignored += 1;
      return [];
    }
    const field = pathText(path);
    return [
      {
        ...base,
        key: `namespace/${name}#${field}`,
        kind: is === undefined ? 'missing' : 'changed',
        field,
        was,
        ...(typeof is === 'string' ? { is } : {}),
        ...(is === undefined ? {} : authorOf(live, path)),
        valueDigest: digestOf([is ?? null]),
      },
    ];
  });
  return { findings, ignored };
}
