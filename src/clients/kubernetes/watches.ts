/**
 * What the worker knows of workloads at any moment: one watch per kind for its whole life (one per kind and namespace
 * where the whole cluster may not be looked at), indexed by release, with listeners per release. Nothing polls.
 */
import { setMaxListeners } from 'node:events';
import { isForbidden, KubernetesError, UnreachableError } from './errors.ts';
import { type KubernetesObject, releaseOf } from './objects.ts';
import { pathWithin } from './scope.ts';
import type { Transport } from './transport.ts';
import { runWatch, type WatchOptions, type WatchTarget } from './watch.ts';

export const WATCHED_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'Pod', 'PersistentVolumeClaim'] as const;
export type WatchedKind = (typeof WATCHED_KINDS)[number];

/**
 * Helm marks all it creates with `managed-by: Helm`, also where a chart sets no instance label; pods and claims are
 * made by controllers.
 */
const HELMS_OWN = 'app.kubernetes.io/managed-by=Helm';
const WITH_INSTANCE = 'app.kubernetes.io/instance';
const TARGETS: Record<WatchedKind, WatchTarget> = {
  Deployment: { path: '/apis/apps/v1/deployments', labelSelector: HELMS_OWN },
  StatefulSet: { path: '/apis/apps/v1/statefulsets', labelSelector: HELMS_OWN },
  DaemonSet: { path: '/apis/apps/v1/daemonsets', labelSelector: HELMS_OWN },
  Job: { path: '/apis/batch/v1/jobs', labelSelector: HELMS_OWN },
  Pod: { path: '/api/v1/pods', labelSelector: WITH_INSTANCE },
  PersistentVolumeClaim: { path: '/api/v1/persistentvolumeclaims', labelSelector: WITH_INSTANCE },
};

export interface Watches {
  /**
   * Starts the watches if they are not running; resolves when each kind has been listed once and is being followed:
   * what is known is at most moments old.
   * @throws KubernetesError when a list is forbidden, or a watch has lost its right; UnreachableError when there is no
   * list within 10 s; or the signal's reason
   */
  synced(signal?: AbortSignal): Promise<void>;
  /** Objects of one kind that belong to a release, as last seen; none where the watch has lost its right to look. */
  of(kind: WatchedKind, namespace: string, release: string): KubernetesObject[];
  /** Every `<namespace>/<release>` that has an object of some kind. */
  releases(): Set<string>;
  /** Whether all kinds are being kept up to date right now. */
  live(): boolean;
  /** In words, which watches of a namespace have lost their right to look; undefined where none has. */
  refused(namespace: string): string | undefined;
  /**
   * Events of type Warning of a namespace, as last seen: followed from the first question on, so none at first. Nothing
   * where they may not be looked at. Listeners of its releases are called when one comes.
   */
  warnings(namespace: string): KubernetesObject[];
  /**
   * Calls back after changes to the release's objects, at most once per turn of the event loop. @returns a function
   * that ends it
   */
  listen(namespace: string, release: string, listener: () => void): () => void;
  close(): void;
}

interface KindState {
  /** By `<namespace>/<name>`. */
  objects: Map<string, KubernetesObject>;
  /** By `<namespace>/<release>`, then as above. */
  byRelease: Map<string, Map<string, KubernetesObject>>;
  /** One for the whole cluster, or one per namespace. */
  parts: Part[];
}

interface Part {
  /** Undefined for the whole cluster. */
  namespace: string | undefined;
  listed: boolean;
  live: boolean;
  error?: unknown;
}

export interface WatchesOptions extends WatchOptions {
  /** Watched one by one where the whole cluster may not be. */
  namespaces?: readonly string[];
}

const PATIENCE_MILLISECONDS = 10_000;

export function createWatches(transport: Transport, { namespaces = [], ...options }: WatchesOptions = {}): Watches {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const states = new Map<WatchedKind, KindState>(WATCHED_KINDS.map((kind) => [kind, emptyState()]));
  const listeners = new Map<string, Set<() => void>>();
  const due = new Set<string>();
  let started = false;
  /** Those who wait for the first lists. */
  const waiting = new Set<() => void>();
  const parts = (): KindState['parts'] => [...states.values()].flatMap((state) => state.parts);
  /** Whether the known state is current: parts whose watch has ended may be long out of date. */
  const isKnown = (): boolean => parts().every(({ listed, live, error }) => listed && (live || error === undefined));
  const warnings = new Map<string, Map<string, KubernetesObject>>();

  const flush = (): void => {
    const keys = [...due];
    due.clear();
    for (const key of keys) for (const listener of listeners.get(key) ?? []) listener();
  };
  const touch = (key: string): void => {
    if (due.size === 0) setImmediate(flush);
    due.add(key);
  };

  const follow = (kind: WatchedKind, state: KindState, namespace?: string): void => {
    const part: Part = { namespace, listed: false, live: false };
    state.parts.push(part);
    const ended = new AbortController();
    const target = TARGETS[kind];
    const put = (object: KubernetesObject): void => {
      remove(object);
      const release = releaseOf(object);
      if (release === undefined) return;
      const key = releaseKeyOf(object, release);
      state.objects.set(objectKey(object), object);
      let group = state.byRelease.get(key);
      if (!group) state.byRelease.set(key, (group = new Map<string, KubernetesObject>()));
      group.set(objectKey(object), object);
      touch(key);
    };
    const remove = (object: KubernetesObject): void => {
      const known = state.objects.get(objectKey(object));
      const release = known && releaseOf(known);
      if (!known || release === undefined) return;
      state.objects.delete(objectKey(known));
      const key = releaseKeyOf(known, release);
      const group = state.byRelease.get(key);
      group?.delete(objectKey(known));
      if (group?.size === 0) state.byRelease.delete(key);
      touch(key);
    };
    void runWatch(
      transport,
      namespace === undefined ? target : { ...target, path: pathWithin(target.path, namespace) ?? target.path },
      {
        replace: (objects) => {
          const present = new Set(objects.map(objectKey));
          for (const known of [...state.objects.values()])
            if ((namespace === undefined || known.metadata.namespace === namespace) && !present.has(objectKey(known)))
              remove(known);
          for (const object of objects) put(object);
          part.listed = true;
          for (const check of waiting) check();
        },
        changed: put,
        deleted: remove,
        live: (live, error) => {
          if (namespace === undefined && !part.listed && namespaces.length > 0 && isForbidden(error)) {
            ended.abort();
            state.parts = [];
            for (const one of namespaces) follow(kind, state, one);
            return;
          }
          part.error = error;
          for (const check of waiting) check();
          if (part.live === live) return;
          part.live = live;
          for (const key of listeners.keys()) touch(key);
        },
      },
      AbortSignal.any([stop.signal, ended.signal]),
      options,
    );
  };

  const followWarnings = (namespace: string, known: Map<string, KubernetesObject>): void => {
    const touchAll = (): void => {
      for (const key of listeners.keys()) if (key.startsWith(`${namespace}/`)) touch(key);
    };
    const put = (event: KubernetesObject): void => {
      known.set(objectKey(event), event);
      touchAll();
    };
    void runWatch(
      transport,
      { path: `/api/v1/namespaces/${namespace}/events`, fieldSelector: 'type=Warning' },
      {
        replace: (events) => {
          known.clear();
          for (const event of events) put(event);
        },
        changed: put,
        deleted: (event) => {
          known.delete(objectKey(event));
        },
        live: (_live, error) => {
          if (isForbidden(error)) known.clear();
        },
      },
      stop.signal,
      options,
    );
  };

  return {
    synced: async (signal) => {
      if (!started) {
        started = true;
        for (const [kind, state] of states) follow(kind, state);
      }
      if (isKnown()) return;
      await new Promise<void>((resolve, reject) => {
        const lastError = (): unknown => parts().find(({ live, error }) => !live && error !== undefined)?.error;
        const end = (settle: () => void): void => {
          clearTimeout(timer);
          waiting.delete(check);
          signal?.removeEventListener('abort', abort);
          settle();
        };
        const check = (): void => {
          const error = parts().find((part) => !part.listed && isRefused(part))?.error;
          if (isKnown()) end(resolve);
          // One that has been listed before may have lost its right only while roles are written anew.
          else if (error instanceof Error) end(() => reject(error));
        };
        const abort = (): void => end(() => reject(signal?.reason as Error));
        const timer = setTimeout(
          () =>
            end(() =>
              reject(
                (lastError() as Error | undefined) ??
                  new UnreachableError('the API server did not list the workloads within 10 s'),
              ),
            ),
          PATIENCE_MILLISECONDS,
        );
        waiting.add(check);
        if (signal?.aborted) abort();
        else signal?.addEventListener('abort', abort, { once: true });
      });
    },
    of: (kind, namespace, release) => {
      const state = states.get(kind);
      if (state === undefined || state.parts.some((part) => isOf(part, namespace) && isRefused(part))) return [];
      return [...(state.byRelease.get(`${namespace}/${release}`)?.values() ?? [])];
    },
    refused: (namespace) => {
      const lost = [...states].flatMap(([kind, state]) =>
        state.parts.filter((part) => isOf(part, namespace) && isRefused(part)).map(({ error }) => ({ kind, error })),
      );
      const [first] = lost;
      return (
        first &&
        `${lost.map(({ kind }) => kind).join(', ')} can no longer be watched (${(first.error as Error).message})`
      );
    },
    warnings: (namespace) => {
      let known = warnings.get(namespace);
      if (known === undefined) {
        warnings.set(namespace, (known = new Map<string, KubernetesObject>()));
        followWarnings(namespace, known);
      }
      return [...known.values()];
    },
    releases: () => new Set([...states.values()].flatMap((state) => [...state.byRelease.keys()])),
    live: () => started && parts().every(({ live }) => live),
    listen: (namespace, release, listener) => {
      const key = `${namespace}/${release}`;
      let group = listeners.get(key);
      if (!group) listeners.set(key, (group = new Set()));
      group.add(listener);
      return () => {
        group.delete(listener);
        if (group.size === 0 && listeners.get(key) === group) listeners.delete(key);
      };
    },
    close: () => {
      stop.abort();
    },
  };
}

function isOf({ namespace }: Part, asked: string): boolean {
  return namespace === undefined || namespace === asked;
}

function isRefused({ live, error }: Part): boolean {
  return !live && error instanceof KubernetesError && (error.status === 403 || error.status === 401);
}

function emptyState(): KindState {
  return {
    objects: new Map<string, KubernetesObject>(),
    byRelease: new Map<string, Map<string, KubernetesObject>>(),
    parts: [],
  };
}

function objectKey(object: KubernetesObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

function releaseKeyOf(object: KubernetesObject, release: string): string {
  return `${object.metadata.namespace ?? ''}/${release}`;
}
