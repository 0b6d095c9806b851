/** Findings about Helm's own records: a release that is gone, half done, written by somebody else, or unknown. */
import type { Catalog } from '../../catalog/schema.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { digestOf } from '../digest.ts';
import { foreignText } from '../ownership/foreign.ts';
import { type ForeignRelease, type ObservedRelease, releaseKey } from '../observed.ts';
import { isFirstOfItsRun, isWrittenByHelm } from '../ownership/provenance.ts';
import { allReleases, type Release } from '../releases.ts';

/** A revision with what its Secret says of who wrote it. */
export interface RecordedRevision extends ObservedRelease {
  manager: string;
  /** Seconds since the epoch. */
  writtenAt: number;
}

export interface ReleaseWorld {
  environment: string;
  catalog: Catalog;
  /** All that Helm has, oldest first, by release key. */
  revisions: ReadonlyMap<string, readonly RecordedRevision[]>;
  /** Those of the catalog's releases that somebody else has made. Absent: none. */
  foreign?: ReadonlyMap<string, ForeignRelease>;
  /** Release keys that live objects name as their owner. */
  claimed: ReadonlySet<string>;
  /** Environments that it took the cluster over from. Absent: none. */
  formerly?: readonly string[];
}

export interface ReleaseSurvey {
  findings: DriftFinding[];
  /** What live objects are compared with, by release key. */
  baselines: Map<string, { revision: number; release: Release | undefined }>;
  /** Releases whose objects cannot be judged: what they consist of is not known for sure. */
  unknown: Set<string>;
}

export function surveyReleases({
  environment,
  catalog,
  revisions,
  foreign,
  claimed,
  formerly = [],
}: ReleaseWorld): ReleaseSurvey {
  const known = new Map(
    allReleases(catalog)
      .filter(({ kind }) => kind === 'release')
      .map((release) => [releaseKey(release.namespace, release.name), release]),
  );
  const namespaces = new Set(catalog.namespaces.map(({ name }) => name));
  const survey: ReleaseSurvey = { findings: [], baselines: new Map(), unknown: new Set() };
  for (const key of new Set([...known.keys(), ...revisions.keys()])) {
    const release = known.get(key);
    const all = revisions.get(key) ?? [];
    const newest = all.at(-1);
    const ours = [environment, ...formerly].includes(newest?.labels[RELEASE_LABELS.environment] ?? '');
    if (release === undefined && !ours && !namespaces.has(key.split('/')[0] ?? '')) continue;
    const theirs = foreign?.get(key);
    if (theirs !== undefined) {
      survey.findings.push(foreignFinding(key, theirs, environment));
      survey.unknown.add(key);
      continue;
    }
    const finding = judge(key, release, all, claimed.has(key));
    if (finding) survey.findings.push(finding);
    if (newest?.status === 'deployed') survey.baselines.set(key, { revision: newest.revision, release });
    else survey.unknown.add(key);
  }
  return survey;
}

/** It stays as it is, whatever repairs may do: only a person decides whose place it is. */
function foreignFinding(key: string, theirs: ForeignRelease, environment: string): DriftFinding {
  const { name, service, by, at, chart, revision, status } = theirs;
  return {
    key: `helm/${key}`,
    kind: 'changed',
    area: 'helm',
    object: `Release ${key}`,
    release: name,
    ...(service === undefined ? {} : { service }),
    was: 'a release of ours',
    is: `${chart ?? 'an unknown chart'}, revision ${revision}, ${status}`,
    by,
    at,
    valueDigest: digestOf([revision, status, chart ?? null]),
    note: `${foreignText(theirs, environment)} It is left alone: have its owner uninstall it, or take it over (ananta adopt ${service ?? name})`,
  };
}

/** The newest complete revision that a deployment of ours has written. */
export function ownRevision<T extends ObservedRelease>(revisions: readonly T[]): T | undefined {
  return revisions.findLast((candidate) => isComplete(candidate) && isOwn(candidate, revisions));
}

/**
 * Digest of what a deployment of ours has applied last. Of a record that somebody has edited since, the labels still
 * say it.
 */
export function lastApplied(revisions: readonly ObservedRelease[]): string | undefined {
  return revisions.findLast((candidate) => isComplete(candidate) && isFirstOfItsRun(candidate, revisions))?.labels[
    RELEASE_LABELS.digest
  ];
}

function isComplete({ status }: ObservedRelease): boolean {
  return status === 'deployed' || status === 'superseded';
}

/** As its provenance says; where nobody has looked, as its labels say. */
function isOwn(revision: ObservedRelease, all: readonly ObservedRelease[]): boolean {
  return revision.provenance === undefined ? isFirstOfItsRun(revision, all) : revision.provenance !== 'foreign';
}

function judge(
  key: string,
  release: Release | undefined,
  all: readonly RecordedRevision[],
  claimed: boolean,
): DriftFinding | undefined {
  const newest = all.at(-1);
  const base = {
    key: `helm/${key}`,
    area: 'helm',
    object: `Release ${key}`,
    release: key.split('/')[1] ?? key,
    ...(release ? { service: release.service } : {}),
    valueDigest: digestOf([newest?.revision ?? null, newest?.status ?? null]),
  };
  if (newest === undefined) {
    // Without objects either it was never deployed.
    return claimed
      ? {
          ...base,
          kind: 'missing',
          repair: 'release',
          note: "Helm's record of it is gone; what it had made is still there",
        }
      : undefined;
  }
  const at = new Date(newest.writtenAt * 1000).toISOString();
  const is = `revision ${newest.revision}, ${newest.status}`;
  if (release === undefined)
    return {
      ...base,
      kind: 'extra',
      is,
      by: newest.manager,
      at,
      note: 'the catalog knows no such release (orphan); it is left alone: uninstall it, or add it to the catalog',
    };
  if (newest.status === 'failed' || newest.status === 'uninstalling')
    return {
      ...base,
      kind: 'unhealthy',
      is,
      at,
      note: 'its last change did not succeed, and what it consists of is not compared: deploy again, or roll back',
    };
  if (newest.status.startsWith('pending-'))
    return {
      ...base,
      kind: 'unhealthy',
      is,
      at,
      note: 'Helm is at work on it, or was interrupted; a deployment recovers it',
    };
  if (newest.status !== 'deployed') {
    return claimed || newest.status === 'superseded'
      ? {
          ...base,
          kind: 'missing',
          was: 'a newer revision, deployed',
          is,
          repair: 'release',
          note: "Helm's record of the revision that is in effect is gone",
        }
      : undefined;
  }
  if (isOwn(newest, all) && isWrittenByHelm(newest.manager)) return undefined;
  const own = ownRevision(all);
  return {
    ...base,
    kind: 'changed',
    is: `${is}, not by a deployment of ours`,
    by: newest.manager,
    at,
    ...(own ? { was: `revision ${own.revision}, digest ${own.labels[RELEASE_LABELS.digest] ?? ''}` } : {}),
    repair: 'release',
  };
}
