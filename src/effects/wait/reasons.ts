/**
 * Why a release is not healthy yet, from its pods and the events of their controllers: known within seconds, while it
 * is waited for. A reason that does not go away by waiting ends the wait, after a minute in which pods that are ending
 * may make room.
 */
import type { KubernetesClient } from '../../clients/kubernetes/index.ts';
import {
  missingPods,
  podTrouble,
  troubleText,
  type Warning,
  warningsOf,
  warningText,
} from '../../plan/health/index.ts';
import type { LiveWorkload } from '../observe/workloads.ts';
import type { Release } from '../release/recover.ts';

export interface Reasons {
  /** `cause` is empty where nothing stands out. `final`: it does not pass by itself. */
  of(workloads: readonly LiveWorkload[]): { cause: string; final: boolean };
  /** When it is worth looking again, although nothing has changed. */
  lookAgainMilliseconds(): number;
}

/** Events are read only after this time; most releases are healthy before. */
const EVENTS_AFTER_MILLISECONDS = 2500;
/** Pods of the former revision that are still ending may use up the quota. */
const GRACE_MILLISECONDS = 60_000;
/** The cluster's clock and ours need not be the same. */
const CLOCKS_MILLISECONDS = 2000;
const MOST = 3;
/** States that every pod passes while it starts; they are no cause. */
const USUAL = ['Pending', 'NotReady', 'Running', 'Unknown'];

export function createReasons(
  { watches }: Pick<KubernetesClient, 'watches'>,
  { namespace, name }: Release,
  now: () => number = Date.now,
): Reasons {
  const began = now();
  /** By what it is about: since when no pod of it could be made. */
  const refused = new Map<string, number>();

  const warningsAbout = (workloads: readonly LiveWorkload[]): Warning[] => {
    if (now() - began < EVENTS_AFTER_MILLISECONDS) return [];
    const known = (['Pod', 'PersistentVolumeClaim'] as const).flatMap((kind) =>
      watches.of(kind, namespace, name).map(({ metadata }) => ({ kind, name: metadata.name, uid: metadata.uid })),
    );
    const made = workloads.map(({ kind, object: { metadata } }) => ({ kind, name: metadata.name, uid: metadata.uid }));
    return warningsOf(watches.warnings(namespace), { objects: [...made, ...known] });
  };

  return {
    of: (workloads) => {
      const lacking = workloads
        .filter((workload) => missingPods(workload) > 0)
        .map(({ object }) => object.metadata.name);
      // What was said of a pod that could not be made is over once it is there.
      const warnings = warningsAbout(workloads).filter(
        ({ reason, about }) =>
          reason !== 'FailedCreate' || lacking.some((lacks) => about.split(' ')[1]?.startsWith(lacks)),
      );
      const fresh = new Set(
        warnings.filter(({ refused: no, at }) => no && at > began - CLOCKS_MILLISECONDS).map(({ about }) => about),
      );
      for (const about of refused.keys()) if (!fresh.has(about)) refused.delete(about);
      for (const about of fresh) if (!refused.has(about)) refused.set(about, now());
      const pods = watches
        .of('Pod', namespace, name)
        .flatMap((pod) => podTrouble(pod) ?? [])
        .filter(({ reason }) => !USUAL.includes(reason));
      const lost = watches.refused(namespace);
      const words = [...warnings.map(warningText), ...pods.map(troubleText)].slice(0, MOST);
      return {
        cause: [...words, ...(lost === undefined ? [] : [`${lost}: looked at every ten seconds instead`])].join('; '),
        final: [...refused.values()].some((since) => now() - since >= GRACE_MILLISECONDS),
      };
    },
    lookAgainMilliseconds: () => (now() - began < EVENTS_AFTER_MILLISECONDS ? EVENTS_AFTER_MILLISECONDS : Infinity),
  };
}
