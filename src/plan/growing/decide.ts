/**
 * Which claims of a release grow, and which of its StatefulSets are replaced for it: what is rendered against what is
 * there. Pure.
 */
import type { ClaimGrowth, Growth } from '../../contract/growing.ts';
import { diffFields } from '../diff/fields.ts';
import type { ManifestObject } from '../diff/manifest.ts';
import { isOfAnother } from '../ownership/owner-label.ts';
import { compareSizes, type SeenClaim, seenClaim, type SeenSet, seenSet } from './live.ts';

export interface DecidedGrowth extends Growth {
  /** Why it cannot be done, one line each: then nothing of the plan may be carried out. */
  refused: string[];
  /** What a person should know, one line each. */
  notes: string[];
}

export interface GrowthInput {
  release: { namespace: string; name: string };
  /** As rendered. */
  wanted: readonly ManifestObject[];
  /** Claims and StatefulSets of the release, as they are. */
  live: { claims: readonly unknown[]; sets: readonly unknown[] };
  environment: { name: string; formerly?: readonly string[] };
}

/** What belongs to one StatefulSet, or stands by itself. */
type Found = Omit<DecidedGrowth, 'sets'> & { set?: Growth['sets'][number] };

/** @returns undefined where nothing grows, shrinks or is refused */
export function decideGrowth({ release, wanted, live, environment }: GrowthInput): DecidedGrowth | undefined {
  const claims = live.claims.flatMap((claim) => seenClaim(claim) ?? []);
  const sets = live.sets.flatMap((set) => seenSet(set) ?? []);
  const own = wanted.filter(({ namespace }) => namespace === undefined || namespace === release.namespace);
  const found = own.flatMap(({ kind, name, object }): Found[] => {
    if (kind === 'StatefulSet') {
      const next = seenSet(object);
      return next === undefined ? [] : [ofSet(next, sets, claims, environment)];
    }
    const next = kind === 'PersistentVolumeClaim' ? seenClaim(object) : undefined;
    const claim = claims.find((candidate) => candidate.name === name);
    return next === undefined || claim === undefined ? [] : [ofClaim(claim, next.request, environment)];
  });
  const decided = {
    claims: found.flatMap((one) => one.claims),
    sets: found.flatMap(({ set }) => set ?? []),
    refused: found.flatMap(({ refused }) => refused),
    notes: found.flatMap(({ notes }) => notes),
  };
  return Object.values(decided).every((list) => list.length === 0) ? undefined : decided;
}

function ofSet(
  next: SeenSet,
  sets: readonly SeenSet[],
  claims: readonly SeenClaim[],
  environment: GrowthInput['environment'],
): Found {
  const live = sets.find(({ name }) => name === next.name);
  const templates = [...next.sizes].map(([template, size]) => {
    const before = live?.sizes.get(template);
    const own = claims.filter(({ name }) => isClaimOf(name, template, next.name));
    // A template that stays as it is says nothing of claims that somebody has made larger.
    const shrinks = before !== undefined && compareSizes(size, before) < 0;
    return { template, size, before, shrinks, grown: own.map((claim) => ofTemplate(claim, size, environment)) };
  });
  const shrinking = templates.flatMap(({ template, size, before, shrinks }) =>
    shrinks
      ? [
          `claims ${template} of StatefulSet ${next.name} would shrink from ${before ?? ''} to ${size}, and volumes never shrink: write ${before ?? ''} or more`,
        ]
      : [],
  );
  const replaced =
    live !== undefined &&
    templates.some(({ size, before }) => before === undefined || compareSizes(size, before) !== 0);
  const other = replaced ? diffFields(live.fixed, next.fixed) : [];
  const grown = templates.flatMap((one) => one.grown);
  const refused = [
    ...grown.flatMap((one) => one.refused),
    ...shrinking,
    ...(other.length === 0
      ? []
      : [
          `StatefulSet ${next.name} would have to be replaced for its larger claims, and ${other.map(({ path, from, to }) => `${path} changes with it (${from ?? 'nothing'} → ${to ?? 'nothing'})`).join(', ')}, which would leave its pods or its data behind: change the size alone`,
        ]),
  ];
  return {
    claims: grown.flatMap((one) => one.claims),
    refused,
    notes: refused.length > 0 ? [] : grown.flatMap((one) => one.notes),
    ...(replaced && refused.length === 0 ? { set: { name: next.name, sizes: Object.fromEntries(next.sizes) } } : {}),
  };
}

/** Of a template: a claim that somebody has made larger stays as it is. */
function ofTemplate(claim: SeenClaim, size: string, environment: GrowthInput['environment']): Found {
  if (compareSizes(size, claim.request) >= 0) return ofClaim(claim, size, environment);
  return {
    claims: [],
    refused: [],
    notes: [`claim ${claim.name} has ${claim.request}, more than the ${size} that are asked for, and stays so`],
  };
}

function ofClaim(claim: SeenClaim, size: string, { name, formerly }: GrowthInput['environment']): Found {
  const none: Found = { claims: [], refused: [], notes: [] };
  const refused = (why: string): Found => ({ ...none, refused: [why] });
  const step = compareSizes(size, claim.request);
  if (step < 0)
    return refused(
      `claim ${claim.name} would shrink from ${claim.request} to ${size}, and volumes never shrink: write ${claim.request} or more`,
    );
  const now = claim.capacity ?? claim.request;
  // One that an interrupted run has asked for, and that is not there yet, is waited for.
  const pending = claim.bound && compareSizes(size, now) > 0;
  if (step === 0 && !pending) return none;
  if (isOfAnother(claim.labels, name, formerly))
    return refused(`claim ${claim.name} belongs to another environment by its label: it is left alone`);
  if (!claim.bound)
    return refused(
      `claim ${claim.name} is not bound to a volume, and only bound claims can grow: if it holds nothing, delete it, and it is made anew with ${size}`,
    );
  const growth: ClaimGrowth = {
    name: claim.name,
    from: now,
    to: size,
    ...(claim.storageClass === undefined ? {} : { storageClass: claim.storageClass }),
  };
  return { ...none, claims: [growth] };
}

/** As the StatefulSet's controller names them: `<template>-<set>-<ordinal>`. */
function isClaimOf(name: string, template: string, set: string): boolean {
  const prefix = `${template}-${set}-`;
  return name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length));
}
