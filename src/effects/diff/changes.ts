/**
 * What a plan would change of each object of the releases that it applies: rendered, and compared with what is there.
 */
import { availableParallelism } from 'node:os';
import PQueue from 'p-queue';
import type { Clients } from '../../clients/index.ts';
import type { Kind } from '../../clients/kubernetes/index.ts';
import type { Redactor } from '../../clients/redact.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import type { OperationPlan, PlannedStep } from '../../contract/operations/plan.ts';
import { APPLYING } from '../../plan/diff/services.ts';
import type { ObjectChange, ReleaseChange } from '../../plan/diff/types.ts';
import { withReplacedSets } from '../../plan/growing/changes.ts';
import { marksOf } from '../../plan/fields/left.ts';
import type { ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { type ObservedCluster, releaseKey } from '../../plan/observed.ts';
import { formerApplier } from '../../plan/ownership/foreign.ts';
import { ownNames } from '../owner/claim.ts';
import { newObjects, releaseObjects } from './release.ts';
import { absentChart, renderedObjects, type Rendering, tidyRenderings } from './render.ts';

/** @param wanted as rendered; what would not change is left out of the result */
export type Compare = (
  step: PlannedStep,
  wanted: Parameters<typeof newObjects>[0],
  looking: { leaves: boolean },
) => Promise<ObjectChange[]>;

/** With what the cluster has; everything that is asked of it once is asked here. */
export async function comparison(
  { kubernetes, environment }: Pick<Clients, 'kubernetes' | 'environment'>,
  signal: AbortSignal,
): Promise<(observed: ObservedCluster) => Compare> {
  const [{ kinds }, owners] = await Promise.all([kubernetes.kinds(signal), ownNames(kubernetes, environment.name)]);
  const known = new Map(kinds.map((kind): [string, Kind] => [`${kind.group}/${kind.kind}`, kind]));
  return (observed) => (step, wanted, looking) =>
    // What is there goes with its namespace.
    observed.terminating?.has(step.namespace)
      ? Promise.resolve(newObjects(wanted, looking))
      : releaseObjects(kubernetes, known, step, owners, wanted, signal, {
          ...looking,
          left: observed.left ?? [],
          ...claimsOf(observed.releases.get(releaseKey(step.namespace, step.name))?.labels),
        });
}

/** What the newest revision says of fields that others claim. */
function claimsOf(labels: Readonly<Record<string, string>> | undefined): { formerly: string[]; applier?: string } {
  const applier = formerApplier(labels);
  return { formerly: marksOf(labels?.[RELEASE_LABELS.left]), ...(applier === undefined ? {} : { applier }) };
}

export interface Look {
  /** Absent: objects are not listed. */
  rendering: Rendering | undefined;
  compare: Compare;
  redactor: Redactor;
  /** Every single value, for rules that ask for it. */
  leaves: boolean;
}

/** Of each step of the plan's services, without a value that is to be hidden. */
export async function releaseChanges(
  plan: OperationPlan,
  inputs: ReadonlyMap<string, ReleaseInputs>,
  { rendering, compare, redactor, leaves }: Look,
): Promise<Map<PlannedStep, ReleaseChange>> {
  const steps = plan.services.flatMap((service) => service.steps);
  if (rendering !== undefined && steps.some(({ action }) => APPLYING.includes(action)))
    await tidyRenderings(rendering.config, inputs);
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
      const absent = absentChart(input);
      if (absent !== undefined)
        return [
          step,
          {
            ...change,
            objects: [],
            note: `its objects are not listed: chart ${absent} is not on this machine yet (ananta charts pull)`,
          },
        ];
      const compared = await compare(step, await renderedObjects(rendering, step, input), { leaves });
      const objects = withReplacedSets(compared, step);
      return [step, { ...change, objects: JSON.parse(redactor.redact(JSON.stringify(objects))) as ObjectChange[] }];
    }),
  );
  return new Map(found);
}
