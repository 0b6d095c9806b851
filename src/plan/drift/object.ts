/** Findings of one object: as its release applied it, and as it is. */
import type { DriftFinding } from '../../contract/drift.ts';
import type { Tree } from '../../environment/files/merge.ts';
import { digestOf } from '../digest.ts';
import type { Difference } from './compare.ts';
import { type Ignore, type Subject, subjectText } from './ignore.ts';
import { additions } from '../fields/additions.ts';
import { authorOf } from '../fields/managed.ts';
import { isWithin, type Path, pathText, valueAtPath } from '../fields/path.ts';
import type { Fingerprint } from '../diff/sensitive.ts';
import { differingParts, valueDigest, valueText } from './text.ts';

export interface AppliedObject extends Subject {
  apiVersion: string;
  /** As Helm applied it, its own labels and annotations included. */
  object: Tree;
  release: string;
  /** Absent for a release that the catalog does not know. */
  service?: string;
  /** It belongs to a release that is a Job. */
  job: boolean;
  /** That Job has completed, and its object is gone: applying the release again would run it again. */
  receipt?: boolean;
}

export interface Judged {
  findings: DriftFinding[];
  ignored: number;
}

export function missingObject(applied: AppliedObject, ignore: Ignore, note?: string): Judged {
  if (ignore(applied, []) !== undefined) return { findings: [], ignored: 1 };
  // It goes by itself some time after its end; and whoever deleted one that has completed has not undone its work.
  const passing = valueAtPath(applied.object, ['spec', 'ttlSecondsAfterFinished']) !== undefined;
  if (applied.kind === 'Job' && (passing || applied.receipt === true)) return { findings: [], ignored: 0 };
  const job = applied.kind === 'Job';
  return {
    ignored: 0,
    findings: [
      {
        ...about(applied, job ? 'job' : 'kubernetes'),
        kind: 'missing',
        valueDigest: digestOf('absent'),
        repair: job ? 'job' : 'release',
        ...(note === undefined ? {} : { note }),
      },
    ],
  };
}

/** @param different fields that are not as applied, once the server's own ways are taken out */
export function changedObject(
  applied: AppliedObject,
  live: unknown,
  different: readonly Difference[],
  ignore: Ignore,
  fingerprint?: Fingerprint,
): Judged {
  if (valueAtPath(live, ['metadata', 'deletionTimestamp'])) return deleting(applied, live, ignore);
  let ignored = 0;
  const counts = (path: Path): boolean => {
    const out = ignore(applied, path) !== undefined;
    if (out) ignored += 1;
    return !out;
  };
  const changes = different
    .filter(({ path }) => counts(path))
    .map(({ path, was, is }): DriftFinding => {
      const [before, now] = differingParts(was, is);
      return {
        ...about(applied, 'kubernetes', path),
        kind: is === undefined ? 'missing' : 'changed',
        ...texts(applied.kind, path, before, now, fingerprint),
        ...authorOf(live, path),
        valueDigest: valueDigest(applied.kind, path, is, fingerprint),
        repair: 'release',
      };
    });
  const extras = additions(applied.kind, applied.object, live)
    .filter((path) => !different.some((difference) => isWithin(path, difference.path)))
    .filter(counts)
    .map((path): DriftFinding => {
      const is = valueAtPath(live, path);
      return {
        ...about(applied, 'kubernetes', path),
        kind: 'extra',
        ...texts(applied.kind, path, undefined, is, fingerprint),
        ...authorOf(live, path),
        valueDigest: valueDigest(applied.kind, path, is, fingerprint),
        repair: 'field',
      };
    });
  return { findings: [...changes, ...extras], ignored };
}

/** Somebody has put an object of theirs in its place: reported, never taken over. @param whose in words */
export function foreignObject(applied: AppliedObject, live: unknown, ignore: Ignore, whose: string): Judged {
  if (ignore(applied, []) !== undefined) return { findings: [], ignored: 1 };
  return {
    ignored: 0,
    findings: [
      {
        ...about(applied, 'kubernetes'),
        kind: 'changed',
        ...authorOf(live),
        was: `of release ${applied.release}`,
        is: 'not ours',
        valueDigest: digestOf(valueAtPath(live, ['metadata', 'uid']) ?? ''),
        note: `${whose}; it is left alone, and so is its release: move it out of the way, then repair or deploy`,
      },
    ],
  };
}

/** Somebody's object in a namespace of the platform. It is reported, and never touched. */
export function extraObject(subject: Subject, live: unknown, ignore: Ignore, note: string): Judged {
  if (ignore(subject, []) !== undefined) return { findings: [], ignored: 1 };
  const { by } = authorOf(live);
  const at = valueAtPath(live, ['metadata', 'creationTimestamp']);
  return {
    ignored: 0,
    findings: [
      {
        key: `kubernetes/${keyOf(subject)}`,
        kind: 'extra',
        area: 'kubernetes',
        object: subjectText(subject),
        ...(by === undefined ? {} : { by }),
        ...(typeof at === 'string' ? { at } : {}),
        valueDigest: digestOf(valueAtPath(live, ['metadata', 'uid']) ?? ''),
        note,
      },
    ],
  };
}

export function keyOf({ kind, namespace, name }: Subject): string {
  return [kind, ...(namespace === undefined || namespace === '' ? [] : [namespace]), name].join('/');
}

function about(
  applied: AppliedObject,
  area: string,
  path: Path = [],
): Pick<DriftFinding, 'key' | 'area' | 'service' | 'release' | 'object' | 'field'> {
  const field = pathText(path);
  return {
    key: `${area}/${keyOf(applied)}${field === '' ? '' : `#${field}`}`,
    area,
    release: applied.release,
    object: subjectText(applied),
    ...(applied.service === undefined ? {} : { service: applied.service }),
    ...(field === '' ? {} : { field }),
  };
}

function texts(
  kind: string,
  path: Path,
  was: unknown,
  is: unknown,
  fingerprint?: Fingerprint,
): Pick<DriftFinding, 'was' | 'is'> {
  const [before, now] = [valueText(kind, path, was, fingerprint), valueText(kind, path, is, fingerprint)];
  return { ...(before === undefined ? {} : { was: before }), ...(now === undefined ? {} : { is: now }) };
}

function deleting(applied: AppliedObject, live: unknown, ignore: Ignore): Judged {
  const finalizers = valueAtPath(live, ['metadata', 'finalizers']);
  const held = Array.isArray(finalizers) && finalizers.length > 0 ? `, held by ${finalizers.join(', ')}` : '';
  const { findings, ignored } = missingObject(applied, ignore, `it is being deleted${held}`);
  return { findings: findings.map(({ repair: _none, ...finding }) => finding), ignored };
}
