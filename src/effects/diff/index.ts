/**
 * What a deployment would change and why, object by object. Changes nothing; works without the engine and without a
 * worker.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import PQueue from 'p-queue';
import { parse } from 'yaml';
import type { Clients } from '../../clients/index.ts';
import type { Kind } from '../../clients/kubernetes/index.ts';
import type { Selection } from '../../contract/operations/deploy.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import type { OperationPlan, PlannedStep } from '../../contract/operations/plan.ts';
import type { PlatformVersion } from '../../contract/version.ts';
import type { Tree } from '../../environment/merge.ts';
import { measuredSeconds, withExpected } from '../../plan/diff/expected.ts';
import { APPLYING, changesAnything, orphans, serviceChange } from '../../plan/diff/services.ts';
import type { ObjectChange, PlatformChanges, ReleaseChange } from '../../plan/diff/types.ts';
import { marksOf } from '../../plan/fields/left.ts';
import { verdictNotes } from '../../plan/policy/words.ts';
import { frozenImages } from '../../plan/images/frozen.ts';
import { digestsOf, type PlatformInputs } from '../../plan/inputs/platform-inputs.ts';
import type { ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { type ObservedCluster, releaseKey } from '../../plan/observed.ts';
import { serviceSeconds } from '../../plan/inputs/startup.ts';
import { decidePlan, refuseOverOldData, withLostDefinitions } from '../plan/deploy.ts';
import { ownNames } from '../owner/claim.ts';
import { withVerdicts } from '../admission/policy.ts';
import { observeCluster } from '../observe/cluster.ts';
import { readVersions } from '../versions/store.ts';
import { existingNamespaces, prerequisiteChanges } from './prerequisites.ts';
import { newObjects, releaseObjects } from './release.ts';
import { renderedObjects, type Rendering, tidyRenderings } from './render.ts';

/** Nothing in it, and nobody to ask: an embedded one that is still to be made. */
const EMPTY: ObservedCluster = {
  namespaces: new Set(),
  releases: new Map(),
  health: new Map(),
  vault: 'absent',
  vaultConfigured: false,
  vaultReason: '',
};

export interface PlanRequest {
  imageTags: Readonly<Record<string, string>>;
  inputs: PlatformInputs;
  selection?: Selection;
  /** Absent: objects are not listed. */
  rendering?: Rendering;
  signal: AbortSignal;
}

export type Planning = Pick<Clients, 'environment' | 'catalog' | 'config' | 'redactor'>;

/**
 * @throws SelectionError, DependencyMissingError, PlanRefusedError; UnreachableError when the cluster does not answer
 */
export async function planChanges(clients: Clients, request: PlanRequest): Promise<PlatformChanges> {
  const { kubernetes, environment } = clients;
  const { signal } = request;
  const [observed, existing, { kinds }, clusterUid, versions, owners] = await Promise.all([
    observeCluster(clients, environment, signal),
    existingNamespaces(kubernetes, signal),
    kubernetes.kinds(signal),
    kubernetes.clusterUid(signal),
    pastVersions(clients, signal),
    ownNames(kubernetes, environment.name),
  ]);
  await refuseOverOldData(clients, environment.name, observed, signal);
  const known = new Map(kinds.map((kind): [string, Kind] => [`${kind.group}/${kind.kind}`, kind]));
  const changes = await describe(
    clients,
    { observed, complete: (inputs) => withLostDefinitions(clients, inputs, observed, signal), existing, versions },
    request,
    (step, wanted) =>
      // What is there goes with its namespace.
      observed.terminating?.has(step.namespace)
        ? Promise.resolve(newObjects(wanted))
        : releaseObjects(kubernetes, known, step, owners, wanted, signal, {
            left: observed.left ?? [],
            formerly: marksOf(
              observed.releases.get(releaseKey(step.namespace, step.name))?.labels[RELEASE_LABELS.left],
            ),
          }),
  );
  return { ...changes, clusterUid };
}

/** Against a cluster that does not exist yet. */
export function planFirst(planning: Planning, request: PlanRequest): Promise<PlatformChanges> {
  return describe(planning, { observed: EMPTY, existing: new Set(), versions: [] }, request, (_step, wanted) =>
    Promise.resolve(newObjects(wanted)),
  );
}

/**
 * Without the right to read them, or with damaged ones, there is a plan all the same: it then expects what the catalog
 * declares.
 */
function pastVersions({ kubernetes, environment }: Clients, signal: AbortSignal): Promise<PlatformVersion[]> {
  return readVersions(kubernetes, environment.name, signal).catch(() => {
    signal.throwIfAborted();
    return [];
  });
}

interface World {
  observed: ObservedCluster;
  /** Looks at what can be known only with the charts. Absent: there is nothing to look at. */
  complete?: (inputs: ReadonlyMap<string, ReleaseInputs>) => Promise<ObservedCluster>;
  /** Names of all namespaces. */
  existing: ReadonlySet<string>;
  versions: readonly PlatformVersion[];
}

type Compare = (step: PlannedStep, wanted: Parameters<typeof newObjects>[0]) => Promise<ObjectChange[]>;

async function describe(
  { catalog, environment, redactor }: Planning,
  { observed: seen, complete, existing, versions }: World,
  request: PlanRequest,
  compare: Compare,
): Promise<PlatformChanges> {
  const { imageTags, selection, rendering } = request;
  const inputs = await request.inputs(imageTags);
  const observed = complete === undefined ? seen : await complete(inputs);
  const plan = withVerdicts(
    decidePlan(catalog, environment, digestsOf(inputs), observed, selection),
    catalog,
    environment,
    inputs,
  );
  const { verdicts = [] } = plan;
  const releases = await allReleaseChanges(plan, inputs, rendering, async (step, wanted) =>
    (await compare(step, wanted)).map((change) => JSON.parse(redactor.redact(JSON.stringify(change))) as ObjectChange),
  );
  const declared = new Map(catalog.services.map((service) => [service.name, serviceSeconds(environment, service)]));
  const services = plan.services.map((service) =>
    serviceChange(
      service,
      service.steps.flatMap((step) => releases.get(step) ?? []),
    ),
  );
  const lost = orphans(catalog, environment.name, observed);
  return {
    environment: environment.name,
    digest: plan.digest,
    changes: changesAnything(plan),
    ...withExpected(services, measuredSeconds(versions), declared),
    orphans: lost,
    prerequisites: plan.prerequisites ? prerequisiteChanges(catalog, observed, existing) : [],
    simulated: plan.simulated,
    ...(plan.steps === undefined ? {} : { steps: plan.steps }),
    phases: plan.phases,
    ...(plan.checks === undefined ? {} : { checks: plan.checks }),
    ...(verdicts.length === 0 ? {} : { verdicts }),
    notes: [...new Set([...(plan.notes ?? []), ...verdictNotes(verdicts), ...frozenNotes(inputs)])],
  };
}

/** Only publishers' charts run images that nobody maintains. */
function frozenNotes(inputs: ReadonlyMap<string, ReleaseInputs>): string[] {
  return frozenImages(
    [...inputs].flatMap(([name, { upstream, values }]) =>
      upstream === undefined ? [] : [[name, parse(values) as Tree] as const],
    ),
  ).map(({ warning }) => warning);
}

async function allReleaseChanges(
  plan: OperationPlan,
  inputs: ReadonlyMap<string, ReleaseInputs>,
  rendering: Rendering | undefined,
  compare: Compare,
): Promise<Map<PlannedStep, ReleaseChange>> {
  const steps = plan.services.flatMap((service) => service.steps);
  if (rendering !== undefined && steps.some(({ action }) => APPLYING.includes(action)))
    await tidyRenderings(rendering.config);
  // Helm is the one that costs: as many at once as there are cores.
  const queue = new PQueue({ concurrency: availableParallelism() });
  const found = await queue.addAll(
    steps.map((step) => async (): Promise<[PlannedStep, ReleaseChange]> => {
      const { name, namespace, kind, action, reason, digest, revision } = step;
      const change = { name, namespace, kind, action, reason, digest, ...(revision === undefined ? {} : { revision }) };
      const input = inputs.get(name);
      if (kind !== 'release' || input === undefined || !APPLYING.includes(action))
        return [step, { ...change, objects: [] }];
      if (rendering === undefined)
        return [step, { ...change, objects: [], note: 'its objects are not listed: Helm is not installed here yet' }];
      if (input.upstream !== undefined && !existsSync(input.chartPath))
        return [
          step,
          {
            ...change,
            objects: [],
            note: `its objects are not listed: chart ${input.upstream.name} ${input.upstream.version} is not on this machine yet (ananta charts pull)`,
          },
        ];
      return [step, { ...change, objects: await compare(step, await renderedObjects(rendering, step, input)) }];
    }),
  );
  return new Map(found);
}
