/**
 * Which volumes a deployment would make larger. Only releases that would be applied and that have claims are rendered,
 * once per content; what the API server says against a larger claim is asked by a dry run. Changes nothing.
 */
import { join } from 'node:path';
import { ChartRenderError } from '../../clients/helm/template.ts';
import type { Clients } from '../../clients/index.ts';
import { isForbidden, KubernetesError, paths } from '../../clients/kubernetes/index.ts';
import { MANAGED_BY, RELEASE_LABELS } from '../../contract/names.ts';
import type { ClaimGrowth } from '../../contract/growing.ts';
import { type DecidedGrowth, decideGrowth } from '../../plan/growing/decide.ts';
import { seenClaim } from '../../plan/growing/live.ts';
import { quotaProblems } from '../../plan/growing/quota.ts';
import { refusedExpansion } from '../../plan/growing/words.ts';
import type { ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { type ObservedCluster, releaseKey } from '../../plan/observed.ts';
import { allReleases, type Release } from '../../plan/releases.ts';
import { absentChart, renderedObjects, renderEach } from '../diff/render.ts';
import { formerNames } from '../owner/claim.ts';
import { knownStorage, type LiveStorage } from './live.ts';

type Looking = Pick<Clients, 'kubernetes' | 'catalog' | 'environment' | 'connections' | 'config'>;

interface Candidate {
  release: Release;
  input: ReleaseInputs;
  live: LiveStorage;
}

/** @param fetch gets publishers' charts that are not on this machine; absent: their releases are left out */
export async function withGrowing(
  clients: Looking,
  inputs: ReadonlyMap<string, ReleaseInputs>,
  observed: ObservedCluster,
  signal: AbortSignal,
  fetch?: Clients['charts'],
): Promise<ObservedCluster> {
  const { connections, config, environment, kubernetes } = clients;
  const candidates = candidatesOf(clients, inputs, observed);
  if (candidates.length === 0 || connections.helm === undefined) return observed;
  const rendering = { helm: connections.helm, home: join(connections.stateDir, 'helm'), config };
  const growing = new Map<string, DecidedGrowth>();
  const formerly = await formerNames(kubernetes, environment.name);
  if (fetch !== undefined)
    await Promise.all(
      candidates.map(async ({ input }) => {
        if (input.upstream !== undefined && absentChart(input) !== undefined)
          await fetch.ensure(input.upstream, signal);
      }),
    );
  await renderEach(candidates, async ({ release, input, live }) => {
    try {
      const wanted = await renderedObjects(rendering, release, input);
      const found = decideGrowth({ release, wanted, live, environment: { name: environment.name, formerly } });
      if (found !== undefined) growing.set(releaseKey(release.namespace, release.name), found);
    } catch (error) {
      // What does not render is not applied: that is said where it is tried.
      if (!(error instanceof ChartRenderError)) throw error;
    }
  });
  if (growing.size === 0) return observed;
  await Promise.all(
    candidates.map(async ({ release, live }) => {
      const key = releaseKey(release.namespace, release.name);
      const found = growing.get(key);
      if (found === undefined) return;
      const said = await objections(clients, release.namespace, found.claims, live, signal);
      growing.set(key, {
        ...found,
        refused: [...found.refused, ...said.refused],
        notes: [...found.notes, ...said.notes],
      });
    }),
  );
  await withQuotas(clients, candidates, growing, signal);
  return { ...observed, growing };
}

/** Those that would be applied, as far as that is known before anything is decided. */
function candidatesOf(
  { kubernetes, catalog }: Pick<Clients, 'kubernetes' | 'catalog'>,
  inputs: ReadonlyMap<string, ReleaseInputs>,
  { releases, terminating }: ObservedCluster,
): Candidate[] {
  return allReleases(catalog).flatMap((release): Candidate[] => {
    const { kind, job, namespace, name } = release;
    const input = inputs.get(name);
    if (kind !== 'release' || job || input === undefined || terminating?.has(namespace)) return [];
    const found = releases.get(releaseKey(namespace, name));
    if (found?.status === 'deployed' && found.labels[RELEASE_LABELS.digest] === input.digest) return [];
    const live = knownStorage(kubernetes, release);
    return live.claims.length === 0 && live.sets.length === 0 ? [] : [{ release, input, live }];
  });
}

/** What the API server says to each larger claim; one that asks for as much already was taken before. */
async function objections(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  namespace: string,
  claims: readonly ClaimGrowth[],
  live: LiveStorage,
  signal: AbortSignal,
): Promise<Pick<DecidedGrowth, 'refused' | 'notes'>> {
  const said: Pick<DecidedGrowth, 'refused' | 'notes'> = { refused: [], notes: [] };
  await Promise.all(
    claims.map(async (claim) => {
      if (requestOf(live, claim.name) === claim.to) return;
      const { name, to } = claim;
      const object = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name, namespace },
        spec: { resources: { requests: { storage: to } } },
      };
      try {
        const path = `${paths.persistentVolumeClaims(namespace)}/${name}`;
        await kubernetes.dryRun(path, object, { manager: MANAGED_BY, force: true }, signal);
      } catch (error) {
        if (!(error instanceof KubernetesError)) throw error;
        if (isForbidden(error) && /cannot patch resource/.test(error.message))
          said.notes.push(`whether claim ${name} may grow cannot be tried with the rights of who plans`);
        else if ([400, 403, 422].includes(error.status)) said.refused.push(refusedExpansion(claim, error.message));
        else throw error;
      }
    }),
  );
  return said;
}

async function withQuotas(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  candidates: readonly Candidate[],
  growing: Map<string, DecidedGrowth>,
  signal: AbortSignal,
): Promise<void> {
  for (const [namespace, own] of Map.groupBy(candidates, ({ release }) => release.namespace)) {
    const claims = own.flatMap(({ release, live }) =>
      (growing.get(releaseKey(namespace, release.name))?.claims ?? []).map((claim) => ({
        ...claim,
        request: requestOf(live, claim.name) ?? claim.from,
      })),
    );
    if (claims.length === 0) continue;
    const problems = quotaProblems(await quotasOf(kubernetes, namespace, signal), claims);
    const first = own.find(({ release }) => growing.has(releaseKey(namespace, release.name)));
    if (problems.length === 0 || first === undefined) continue;
    const key = releaseKey(namespace, first.release.name);
    const found = growing.get(key);
    if (found !== undefined) growing.set(key, { ...found, refused: [...found.refused, ...problems] });
  }
}

/** None where they may not be looked at: the API server compares them again. */
async function quotasOf(
  kubernetes: Clients['kubernetes'],
  namespace: string,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  try {
    return (await kubernetes.list(paths.resourceQuotas(namespace), {}, signal)).items;
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}

function requestOf({ claims }: LiveStorage, name: string): string | undefined {
  return claims.flatMap((claim) => seenClaim(claim) ?? []).find((claim) => claim.name === name)?.request;
}
