/**
 * What a deployment would change and why, object by object. Changes nothing; works without the engine and without a
 * worker.
 */
import type { Clients } from '../../clients/index.ts';
import type { Selection } from '../../contract/operations/deploy.ts';
import type { PlatformVersion } from '../../contract/version.ts';
import { measuredSeconds, withExpected } from '../../plan/diff/expected.ts';
import { changesAnything, orphans, serviceChange } from '../../plan/diff/services.ts';
import type { PlatformChanges, ReleaseChange } from '../../plan/diff/types.ts';
import { rulesSeeObjects } from '../../plan/policy/objects.ts';
import { verdictNotes } from '../../plan/policy/words.ts';
import { frozenImages } from '../../plan/images/frozen.ts';
import { writtenValues } from '../../plan/inputs/kubernetes-yaml.ts';
import { digestsOf, type PlatformInputs } from '../../plan/inputs/platform-inputs.ts';
import type { ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import type { ObservedCluster } from '../../plan/observed.ts';
import { serviceSeconds } from '../../plan/inputs/startup.ts';
import { decidePlan, refuseOverOldData, withLostDefinitions } from '../plan/deploy.ts';
import { withVerdicts } from '../admission/policy.ts';
import { readRehearsal } from '../admission/rehearsal.ts';
import { withGrowing } from '../growing/observe.ts';
import { observeCluster } from '../observe/cluster.ts';
import { readVersions } from '../versions/store.ts';
import { existingNamespaces, prerequisiteChanges } from './prerequisites.ts';
import { type Compare, comparison, releaseChanges } from './changes.ts';
import { newObjects } from './release.ts';
import type { Rendering } from './render.ts';

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
  const [observed, existing, against, clusterUid, versions] = await Promise.all([
    observeCluster(clients, environment, signal),
    existingNamespaces(kubernetes, signal),
    comparison(clients, signal),
    kubernetes.clusterUid(signal),
    pastVersions(clients, signal),
  ]);
  await refuseOverOldData(clients, environment.name, observed, signal);
  const changes = await describe(
    clients,
    {
      observed,
      complete: async (inputs) =>
        withGrowing(clients, inputs, await withLostDefinitions(clients, inputs, observed, signal), signal),
      existing,
      versions,
    },
    request,
    against(observed),
  );
  return { ...changes, clusterUid };
}

/** Against a cluster that does not exist yet. */
export function planFirst(planning: Planning, request: PlanRequest): Promise<PlatformChanges> {
  return describe(planning, { observed: EMPTY, existing: new Set(), versions: [] }, request, (_step, wanted, looking) =>
    Promise.resolve(newObjects(wanted, looking)),
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

async function describe(
  { catalog, environment, config, redactor }: Planning,
  { observed: seen, complete, existing, versions }: World,
  request: PlanRequest,
  compare: Compare,
): Promise<PlatformChanges> {
  const { imageTags, selection, rendering } = request;
  const inputs = await request.inputs(imageTags);
  const observed = complete === undefined ? seen : await complete(inputs);
  const decided = decidePlan(catalog, environment, digestsOf(inputs), observed, selection);
  const releases = await releaseChanges(decided, inputs, {
    ...{ rendering, compare, redactor },
    leaves: rulesSeeObjects(environment.policy, decided.operation),
  });
  const rehearsal = await readRehearsal(config, environment, inputs);
  const plan = withVerdicts(decided, catalog, environment, inputs, releases, rehearsal);
  const { verdicts = [] } = plan;
  const declared = new Map(catalog.services.map((service) => [service.name, serviceSeconds(environment, service)]));
  const services = plan.services.map((service) =>
    serviceChange(
      service,
      service.steps.flatMap((step) => withoutLeaves(releases.get(step)) ?? []),
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

function withoutLeaves(change: ReleaseChange | undefined): ReleaseChange | undefined {
  return change && { ...change, objects: change.objects.map(({ leaves: _, ...object }) => object) };
}

/** Only publishers' charts run images that nobody maintains. */
function frozenNotes(inputs: ReadonlyMap<string, ReleaseInputs>): string[] {
  return frozenImages(
    [...inputs].flatMap(([name, { upstream, values }]) =>
      upstream === undefined ? [] : [[name, writtenValues(values)] as const],
    ),
  ).map(({ warning }) => warning);
}
