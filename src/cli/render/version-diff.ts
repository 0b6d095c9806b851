/** Differences between two platform versions as text and as JSON. Pure. */
import type { VersionDiff } from '../../effects/versions/diff.ts';
import type { ObjectDiff, ReleaseDiff } from '../../plan/versions/diff.ts';
import { count, oneLine } from '../shared/format.ts';
import type { Style, Tone } from '../shared/terminal.ts';

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;
const TONES: Record<keyof typeof SIGNS, Tone> = { added: 'good', removed: 'bad', changed: 'bold' };

export function diffLines({ from, to, releases }: VersionDiff, style: Style): string[] {
  const other = to === undefined ? 'what runs now' : `version ${to.version}`;
  if (releases.length === 0)
    return [`Version ${from.version} and ${other} of ${from.environment} have the same content.`];
  const services = new Set(releases.map(({ service }) => service)).size;
  return [
    `From version ${from.version} to ${other} of ${from.environment}: ${count(releases.length, 'release')} of ${count(services, 'service')} ${releases.length === 1 ? 'differs' : 'differ'}.`,
    ...releases.flatMap((release) => ['', ...releaseLines(release, style)]),
  ];
}

function releaseLines({ release, namespace, kind, what, objects, note }: ReleaseDiff, style: Style): string[] {
  return [
    `${style(TONES[kind], `${SIGNS[kind]} ${release}`)} in ${namespace}: ${kind === 'changed' ? what : `${kind}${what === '' ? '' : ` (${what})`}`}`,
    ...objects.flatMap((object) => objectLines(object, style)),
    ...(note === undefined ? [] : [`    ${note}`]),
  ];
}

function objectLines({ kind, name, change, fields }: ObjectDiff, style: Style): string[] {
  return [
    `    ${style(TONES[change], `${SIGNS[change]} ${kind} ${name}`)}`,
    ...fields.map(
      ({ path, from, to }) =>
        `        ${path}: ${from === undefined ? '(nothing)' : oneLine(from)} → ${to === undefined ? '(nothing)' : oneLine(to)}`,
    ),
  ];
}

export function diffJson({ from, to, releases }: VersionDiff): Record<string, unknown> {
  return { environment: from.environment, from: from.version, to: to?.version ?? null, releases };
}
