/** What a rehearsal has shown, as it is kept: JSON with every field below, and pages made from it. Pure. */
import { z } from 'zod';
import { differenceText } from './compare.ts';
import { ANSWERS, FAULT_TARGETS, faultText, type PlannedFault, WAYS } from './faults.ts';
import { isSuccess } from '../../contract/operations/states.ts';

const at = z.strictObject({ service: z.string(), state: z.string(), operation: z.number().int().optional() });
const target = z.enum(FAULT_TARGETS);
const way = z.enum(WAYS);
const plannedFaultSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('kill'), target, at }),
  z.strictObject({ kind: z.literal('stop'), target, at, seconds: z.number() }),
  z.strictObject({ kind: z.enum(['cut', 'stall']), target: way, at, seconds: z.number() }),
  z.strictObject({ kind: z.literal('slow'), target: way, at, seconds: z.number(), milliseconds: z.number() }),
  z.strictObject({
    kind: z.literal('answers'),
    target: z.literal('API server'),
    at,
    answer: z.literal(ANSWERS),
    count: z.number().int(),
  }),
]);

const faultSchema = z.strictObject({
  fault: plannedFaultSchema,
  /** Absent where it came to nothing: its moment did not come, or there was nothing to hit. */
  hit: z
    .strictObject({
      /** ISO 8601. */
      at: z.string(),
      /** Until what was hit went on, or another one ran. */
      backAfterSeconds: z.number().optional(),
    })
    .optional(),
  /** How it ended, in words. */
  ended: z.string(),
});
export type EndedFault = z.infer<typeof faultSchema>;

const runSchema = z.strictObject({
  run: z.number().int(),
  outcome: z.string(),
  seconds: z.number(),
  faults: z.array(faultSchema),
  /** Attempts of steps that failed and were made again. */
  retries: z.number().int(),
  /** Empty: it ended in the state of the undisturbed run. */
  differences: z.array(
    z.strictObject({
      subject: z.string(),
      path: z.string(),
      expected: z.unknown().optional(),
      found: z.unknown().optional(),
    }),
  ),
  /** Why it did not end well. */
  failure: z.string().optional(),
});
export type RehearsedRun = z.infer<typeof runSchema>;

export const certificateSchema = z.strictObject({
  format: z.literal(1),
  environment: z.string(),
  platform: z.string(),
  /** ISO 8601. */
  at: z.string(),
  requestedBy: z.string(),
  passed: z.boolean(),
  seed: z.number().int(),
  /** What the runs began with. */
  from: z.string(),
  /** Commands of each run, in order. */
  operations: z.array(z.string()).default(['deploy']),
  plan: z.strictObject({
    /** Of the plan that was carried out. */
    digest: z.string(),
    /** Over what each release is made from, as the environment itself says: the same on any cluster. */
    content: z.string(),
    services: z.number().int(),
    imageTags: z.record(z.string(), z.string()),
    /** Releases that were made from something else, because of the stand-ins. */
    otherwise: z.array(z.string()),
  }),
  /** Programs and what they are, by name. */
  versions: z.record(z.string(), z.string()),
  undisturbed: z.strictObject({
    outcome: z.string(),
    seconds: z.number(),
    objects: z.number().int(),
    releases: z.number().int(),
    vault: z.number().int(),
    /** Over all that is compared. */
    state: z.string(),
    failure: z.string().optional(),
  }),
  runs: z.array(runSchema),
  standIns: z.array(z.strictObject({ field: z.string(), rehearsed: z.string(), unseen: z.string() })),
  neverShown: z.array(z.string()),
  mayDiffer: z.array(z.strictObject({ what: z.string(), why: z.string() })),
});
export type Certificate = z.infer<typeof certificateSchema>;

/** A run has passed when it ended well, in the same state, and was hit by every fault that it was to be hit by. */
export function runPassed({ outcome, faults, differences }: RehearsedRun): boolean {
  return isSuccess(outcome) && differences.length === 0 && faults.every(({ hit }) => hit !== undefined);
}

export function rehearsalPassed({ undisturbed, runs }: Pick<Certificate, 'undisturbed' | 'runs'>): boolean {
  return isSuccess(undisturbed.outcome) && runs.every(runPassed);
}

/** @param service how the service of its moment ended */
export function endedText(fault: PlannedFault, hit: EndedFault['hit'], service: string | undefined): string {
  const { target: victim, kind, at: moment } = fault;
  if (hit === undefined)
    return kind === 'answers'
      ? 'did not come to pass: nobody asked the API server for so much after that'
      : `did not come to pass: no ${victim} was there to be hit when the run got that far`;
  const end = service === undefined ? '' : `; ${moment.service} ended ${service}`;
  if (kind === 'answers') return `given within ${(hit.backAfterSeconds ?? 0).toFixed(1)} s, and asked again${end}`;
  if (kind === 'cut' || kind === 'stall' || kind === 'slow')
    return `open again after ${(hit.backAfterSeconds ?? 0).toFixed(1)} s${end}`;
  if (hit.backAfterSeconds === undefined) return `its work was taken up again by the worker${end}`;
  const back = `${hit.backAfterSeconds.toFixed(1)} s`;
  return kind === 'kill' ? `another one ran after ${back}${end}` : `went on after ${back}${end}`;
}

/** For people, one line each: what stands against it. */
export function problemsOf({ undisturbed, runs }: Pick<Certificate, 'undisturbed' | 'runs'>): string[] {
  if (!isSuccess(undisturbed.outcome))
    return [`The undisturbed run ${undisturbed.outcome}: ${undisturbed.failure ?? 'see its output'}`];
  return runs
    .filter((run) => !runPassed(run))
    .flatMap((run) => [
      ...(isSuccess(run.outcome) ? [] : [`Run ${run.run} ${run.outcome}: ${run.failure ?? 'see its output'}`]),
      ...run.faults.flatMap(({ fault, hit, ended }) =>
        hit === undefined ? [`Run ${run.run}: ${faultText(fault)} ${ended}`] : [],
      ),
      ...run.differences.map((difference) => `Run ${run.run}: ${differenceText(difference)}`),
    ]);
}
