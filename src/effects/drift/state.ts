/** The memory of drift runs in the target cluster: a ConfigMap of ours, changed only on top of what was read. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import {
  type KubernetesClient,
  KubernetesError,
  type KubernetesObject,
  paths,
} from '../../clients/kubernetes/index.ts';
import { type DriftState, driftStateSchema } from '../../contract/drift-state.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, OWNER_LABEL, RECORDS_NAMESPACE } from '../../contract/names.ts';
import { ensureRecordsNamespace } from '../records/namespace.ts';

type Keeper = Pick<KubernetesClient, 'get' | 'apply' | 'create' | 'replace'>;

const KEY = 'state.json';
const ATTEMPTS = 20;
const storedSchema = z.looseObject({ data: z.record(z.string(), z.string()).nullish() });

/** Name of the ConfigMap in the namespace of the records. */
export function driftStateName(environment: string): string {
  return `drift-${environment}`;
}

/** @returns an empty memory where there is none yet. @throws Error when what is there cannot be read */
export async function readDriftState(
  kubernetes: Pick<KubernetesClient, 'get'>,
  environment: string,
  signal?: AbortSignal,
): Promise<DriftState> {
  return stateOf(await kubernetes.get(pathOf(environment), signal), environment);
}

/**
 * Reads, changes, writes; begins again when somebody else was faster.
 * @param change called again with what the other one wrote; returning the state it was given writes nothing
 */
export async function updateDriftState(
  kubernetes: Keeper,
  environment: string,
  change: (state: DriftState) => DriftState,
  signal?: AbortSignal,
): Promise<DriftState> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await kubernetes.get(pathOf(environment), signal);
    const before = stateOf(found, environment);
    const after = change(before);
    if (after === before) return before;
    try {
      await write(kubernetes, environment, found, after, signal);
      return after;
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.status !== 409 || attempt >= ATTEMPTS) throw error;
      await sleep(20 * attempt, undefined, signal ? { signal } : {});
    }
  }
}

async function write(
  kubernetes: Keeper,
  environment: string,
  found: KubernetesObject | undefined,
  state: DriftState,
  signal?: AbortSignal,
): Promise<void> {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: driftStateName(environment),
      namespace: RECORDS_NAMESPACE,
      labels: { [MANAGED_BY_LABEL]: MANAGED_BY, [OWNER_LABEL]: environment },
      ...(found ? { resourceVersion: found.metadata.resourceVersion } : {}),
    },
    data: { [KEY]: JSON.stringify(state) },
  };
  if (found) {
    await kubernetes.replace(pathOf(environment), object, signal);
    return;
  }
  await ensureRecordsNamespace(kubernetes, signal);
  await kubernetes.create(paths.configMaps(RECORDS_NAMESPACE), object, signal);
}

function stateOf(found: KubernetesObject | undefined, environment: string): DriftState {
  const text = storedSchema.parse(found ?? {}).data?.[KEY];
  if (text === undefined) return driftStateSchema.parse({});
  try {
    return driftStateSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(
      `The memory of drift runs, ConfigMap ${RECORDS_NAMESPACE}/${driftStateName(environment)}, is damaged (${error instanceof z.ZodError ? (error.issues[0]?.message ?? 'shape') : 'no JSON'}): correct it, or delete it and with it all acceptances`,
      { cause: error },
    );
  }
}

function pathOf(environment: string): string {
  return paths.configMap(RECORDS_NAMESPACE, driftStateName(environment));
}
