/**
 * Claims of a release made larger, and waited for until their file systems are: all with the pods that run. Whatever
 * fails here has touched nothing else, so the release runs on as it is.
 */
import { z } from 'zod';
import type { Clients } from '../../clients/index.ts';
import { KubernetesError, type KubernetesObject, later, paths } from '../../clients/kubernetes/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { ClaimGrowth } from '../../contract/growing.ts';
import { compareSizes, seenClaim, type SeenClaim } from '../../plan/growing/live.ts';
import { type ResizeState, resizeState } from '../../plan/growing/resize.ts';
import { refusedExpansion } from '../../plan/growing/words.ts';
import { warningsOf, warningText } from '../../plan/health/index.ts';
import { isOfAnother } from '../../plan/ownership/owner-label.ts';
import type { EffectScope } from '../effect.ts';
import { ownNames } from '../owner/claim.ts';
import { assertOurs } from '../release/ours.ts';
import { judgedRevisionsOf } from '../release/provenance.ts';
import { createDeadline, type Deadline } from '../wait/deadline.ts';
import { isMounted } from './live.ts';

/** A change that no watch delivered is found by reading after this time at the latest. */
const READ_AGAIN_MILLISECONDS = 5000;
const MOST_WARNINGS = 3;
const beatSchema = z.object({ spentSeconds: z.number() });

type Release = { namespace: string; name: string };

export async function expandClaims(
  clients: Clients,
  { step, claims, timeoutSeconds }: InputOf<'expandClaims'>,
  scope: EffectScope,
): OutputOf<'expandClaims'> {
  const { kubernetes } = clients;
  const { signal } = scope;
  const release = { namespace: step.namespace, name: step.name };
  const earlier = beatSchema.safeParse(scope.lastDetail);
  const deadline = createDeadline({
    limitSeconds: timeoutSeconds,
    spentSeconds: earlier.success ? earlier.data.spentSeconds : 0,
    signal,
  });
  let status = 'looks at its claims';
  scope.doing(() => ({ spentSeconds: deadline.spent(), release: release.name, status }));

  await assertOurs(clients, release, await judgedRevisionsOf(clients, release, signal), signal);
  // What a driver says against it is an event: followed from here on.
  kubernetes.watches.warnings(release.namespace);
  const unlisten = kubernetes.watches.listen(release.namespace, release.name, () => {
    deadline.wake();
  });
  try {
    let changed = false;
    for (const claim of claims) if (await ask(clients, release, claim, scope, changed)) changed = true;
    const unmounted = await waitForAll(
      clients,
      release,
      claims,
      deadline,
      (text) => {
        status = clients.redactor.redact(text);
      },
      signal,
    );
    return {
      changed,
      seconds: Math.round(deadline.spent() * 10) / 10,
      notes: unmounted.map(
        (name) => `The volume of claim ${name} has grown; its file system does as soon as a pod mounts it.`,
      ),
    };
  } finally {
    unlisten();
  }
}

/** @param changed whether another one was asked for before it. @returns false where it asks for as much already */
async function ask(
  { kubernetes, environment }: Pick<Clients, 'kubernetes' | 'environment'>,
  { namespace }: Release,
  growth: ClaimGrowth,
  scope: EffectScope,
  changed: boolean,
): Promise<boolean> {
  const { signal } = scope;
  const rest = changed ? 'Claims before it grow by now, and stay so; nothing else' : 'Nothing else';
  const { name, to } = growth;
  const path = `${paths.persistentVolumeClaims(namespace)}/${name}`;
  const live = await kubernetes.get(path, signal);
  const claim = live && seenClaim(live);
  if (live === undefined || claim === undefined || live.metadata.deletionTimestamp)
    throw new DeployError(
      FAILURES.planOutdated,
      `Claim ${namespace}/${name} was to grow from ${growth.from} to ${to}, and ${live === undefined ? 'is gone' : 'is being deleted'}. Nothing was applied; look after its data, and plan again.`,
    );
  const [own, ...formerly] = await ownNames(kubernetes, environment.name);
  if (isOfAnother(claim.labels, own, formerly))
    throw new DeployError(
      FAILURES.notOurs,
      `Claim ${namespace}/${name} belongs to another environment by its label and was not touched. ${rest} was changed.`,
    );
  if (compareSizes(claim.request, to) >= 0) return false;
  await scope.assertOurs();
  try {
    await kubernetes.patch(
      path,
      [
        { op: 'test', path: '/metadata/uid', value: live.metadata.uid },
        { op: 'replace', path: '/spec/resources/requests/storage', value: to },
      ],
      signal,
    );
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    if ([403, 422].includes(error.status))
      throw new DeployError(error.type, `${refusedExpansion(growth, error.message)}. ${rest} was changed.`);
    throw error;
  }
  return true;
}

/** @returns names of those whose file system grows when a pod mounts them */
async function waitForAll(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  release: Release,
  claims: readonly ClaimGrowth[],
  deadline: Deadline,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<string[]> {
  const read = new Map<string, KubernetesObject>();
  let readAt = -Infinity;
  for (;;) {
    if (performance.now() - readAt > READ_AGAIN_MILLISECONDS) {
      await Promise.all(
        claims.map(async ({ name }) => {
          const found = await kubernetes.get(`${paths.persistentVolumeClaims(release.namespace)}/${name}`, signal);
          if (found === undefined) read.delete(name);
          else read.set(name, found);
        }),
      );
      readAt = performance.now();
    }
    const known = new Map(
      kubernetes.watches
        .of('PersistentVolumeClaim', release.namespace, release.name)
        .map((claim) => [claim.metadata.name, claim]),
    );
    const states = claims.map(({ name, to }) => {
      const [now, seen] = [read.get(name), known.get(name)];
      const newest = now && seen && now.metadata.uid === seen.metadata.uid ? later(now, seen) : now;
      const claim = newest && seenClaim(newest);
      return { name, ...stateOf(claim, name, to, isMounted(kubernetes, release, name)) };
    });
    const failed = states.flatMap((state) => (state.state === 'failed' ? [state.text] : []));
    const waiting = states.flatMap((state) => (state.state === 'waiting' ? [state.text] : []));
    if (failed.length > 0) throw givenUp(kubernetes, release, claims, failed, 'and does not pass by waiting');
    if (waiting.length === 0) return states.flatMap(({ name, state }) => (state === 'unmounted' ? [name] : []));
    say(waiting.join('; '));
    if (deadline.isOver())
      throw givenUp(kubernetes, release, claims, waiting, `after ${Math.round(deadline.spent())} s`);
    await deadline.pause(READ_AGAIN_MILLISECONDS);
  }
}

function stateOf(claim: SeenClaim | undefined, name: string, to: string, mounted: boolean): ResizeState {
  return claim === undefined ? { state: 'failed', text: `claim ${name} is gone` } : resizeState(claim, to, mounted);
}

/** With what was reported of the claims: who resizes volumes says there why he does not. */
function givenUp(
  { watches }: Pick<Clients['kubernetes'], 'watches'>,
  release: Release,
  claims: readonly ClaimGrowth[],
  texts: readonly string[],
  when: string,
): DeployError {
  const objects = watches
    .of('PersistentVolumeClaim', release.namespace, release.name)
    .filter(({ metadata }) => claims.some(({ name }) => name === metadata.name))
    .map(({ metadata }) => ({ kind: 'PersistentVolumeClaim', name: metadata.name, uid: metadata.uid }));
  const warnings = warningsOf(watches.warnings(release.namespace), { objects })
    .map(warningText)
    .slice(0, MOST_WARNINGS);
  return new DeployError(
    FAILURES.notHealthyInTime,
    [
      `${release.name}: ${[...texts, ...warnings].join('; ')} (${when}). Its release was not touched and runs on as it is; volumes that have grown stay so.`,
      'Some drivers grow a volume only while no pod has it: scale the StatefulSet to 0 until it has grown, then deploy again.',
    ].join(' '),
  );
}
