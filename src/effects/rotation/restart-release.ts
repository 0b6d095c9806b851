import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { assertOurs } from '../release/ours.ts';
import { judgedRevisionsOf } from '../release/provenance.ts';
import { restartReaders } from '../release/restart.ts';
import type { EffectScope } from '../effect.ts';

/** Pods that are older than the change of what they read are replaced; nothing is applied. */
export async function restartRelease(
  clients: Clients,
  { step }: InputOf<'restartRelease'>,
  scope: EffectScope,
): OutputOf<'restartRelease'> {
  scope.doing('restarts pods whose Secret has changed');
  const release = { namespace: step.namespace, name: step.name };
  await assertOurs(clients, release, await judgedRevisionsOf(clients, release, scope.signal), scope.signal);
  return { changed: await restartReaders(clients, step, scope.signal) };
}
