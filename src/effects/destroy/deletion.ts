/** Deletes objects and watches them go, as long as something moves; what does not go is named with what holds it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type KubernetesClient, type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import type { RemainingObject } from '../../contract/operations/deploy.ts';
import { finalizersOf } from '../release/removal/deletion.ts';
import { listAll, sweptKinds } from '../release/orphans.ts';

export interface Target {
  kind: string;
  namespace?: string;
  name: string;
  path: string;
  uid: string;
}

export interface StallTimeout {
  /** Without any progress. */
  seconds: number;
  lookMilliseconds: number;
}
export const LOOK_MILLISECONDS = 500;

const conditionsSchema = z.object({
  status: z
    .object({
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().default('') }))
        .nullish(),
    })
    .prefault({}),
});
/** Those of a namespace that say what is in the way; others say that all is well. */
const TELLING = [
  'NamespaceDeletionDiscoveryFailure',
  'NamespaceDeletionGroupVersionParsingFailure',
  'NamespaceDeletionContentFailure',
  'NamespaceContentRemaining',
  'NamespaceFinalizersRemaining',
];
const MOST_HELD = 5;

/** @returns what is still there although nothing has moved for so long */
export async function deleteAndWait(
  kubernetes: KubernetesClient,
  targets: readonly Target[],
  stall: StallTimeout,
  signal: AbortSignal,
  onStatus: (text: string) => void,
): Promise<RemainingObject[]> {
  await Promise.all(targets.map(({ path, uid }) => kubernetes.remove(path, uid === '' ? {} : { uid }, signal)));
  let left = [...targets];
  // Only states that were not seen before count as progress.
  const seen = new Set<string>();
  let movedAt = performance.now();
  for (;;) {
    const found = await Promise.all(
      left.map(async (target) => ({ target, object: await kubernetes.get(target.path, signal) })),
    );
    const there = found.flatMap(({ target, object }) =>
      object !== undefined && (target.uid === '' || object.metadata.uid === target.uid) ? [{ target, object }] : [],
    );
    left = there.map(({ target }) => target);
    if (there.length === 0) return [];
    const now = there
      .map(({ target, object }) => `${target.path} ${finalizersOf(object).join()} ${conditionTexts(object).join()}`)
      .join('\n');
    if (!seen.has(now)) movedAt = performance.now();
    seen.add(now);
    onStatus(
      `waits for ${left
        .slice(0, 3)
        .map(({ kind, name }) => `${kind} ${name}`)
        .join(', ')}${left.length > 3 ? ` and ${left.length - 3} more` : ''} to go`,
    );
    if (performance.now() - movedAt > stall.seconds * 1000)
      return Promise.all(there.map(({ target, object }) => stuck(kubernetes, target, object, signal)));
    await sleep(stall.lookMilliseconds, undefined, { signal });
  }
}

/** For what somebody else deletes, or has deleted. */
export function waitOnly(
  kubernetes: KubernetesClient,
  targets: readonly Target[],
  stall: StallTimeout,
  signal: AbortSignal,
  onStatus: (text: string) => void,
): Promise<RemainingObject[]> {
  return deleteAndWait({ ...kubernetes, remove: () => Promise.resolve(false) }, targets, stall, signal, onStatus);
}

async function stuck(
  kubernetes: KubernetesClient,
  { kind, namespace, name }: Target,
  object: KubernetesObject,
  signal: AbortSignal,
): Promise<RemainingObject> {
  const base = { kind, name, ...(namespace === undefined ? {} : { namespace }), state: 'stuck' as const };
  if (kind !== 'Namespace') return { ...base, reason: `${heldBy(object)}${remedy(kind, namespace, name)}` };
  return { ...base, reason: await whatHolds(kubernetes, object, signal) };
}

/** Of a namespace that is being deleted: objects with finalizers, API servers that do not answer; with lines to run. */
export async function whatHolds(
  kubernetes: KubernetesClient,
  object: KubernetesObject,
  signal: AbortSignal,
): Promise<string> {
  const { name } = object.metadata;
  const held = await holdersIn(kubernetes, name, signal);
  const said = conditionTexts(object);
  const why = [
    ...held,
    ...(held.length === 0 || said.some((text) => /Discovery|APIService|retrieve/i.test(text)) ? said : []),
  ];
  const own = finalizersOf(object);
  if (own.length > 0) why.push(`the namespace itself is held by finalizer ${own.join(', ')}`);
  return why.length > 0
    ? why.join('; ')
    : `it is being deleted and says nothing of what holds it: ${paths.namespace(name)}`;
}

function heldBy(object: KubernetesObject): string {
  const finalizers = finalizersOf(object);
  return finalizers.length > 0
    ? `held by finalizer ${finalizers.join(', ')}`
    : 'deleted, and still there: does its controller run?';
}

/** The command that removes a finalizer whose owner no longer exists. */
function remedy(kind: string, namespace: string | undefined, name: string): string {
  return `. If whoever should remove it is gone: kubectl ${namespace === undefined ? '' : `-n ${namespace} `}patch ${kind.toLowerCase()} ${name} --type merge -p '{"metadata":{"finalizers":null}}'`;
}

/** Objects that keep a namespace from going, each with its finalizers. */
async function holdersIn(kubernetes: KubernetesClient, namespace: string, signal: AbortSignal): Promise<string[]> {
  const kinds = (await sweptKinds(kubernetes, signal)).filter((kind) => kind.namespaced);
  const held = (await listAll(kubernetes, kinds, { namespace, unseen: () => undefined }, signal)).filter(
    ({ object }) => finalizersOf(object).length > 0,
  );
  const texts = held
    .slice(0, MOST_HELD)
    .map(
      ({ kind, object }) =>
        `${kind.kind} ${object.metadata.name} is ${heldBy(object)}${remedy(kind.kind, namespace, object.metadata.name)}`,
    );
  return held.length > MOST_HELD ? [...texts, `and ${held.length - MOST_HELD} more objects with finalizers`] : texts;
}

function conditionTexts(object: KubernetesObject): string[] {
  const conditions = conditionsSchema.safeParse(object).data?.status.conditions ?? [];
  return conditions
    .filter(({ type, status }) => TELLING.includes(type) && status === 'True')
    .map(({ message }) => message);
}
