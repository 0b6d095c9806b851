/** Temporal Schedules, as the worker keeps them and the commands show them. */
import { isDeepStrictEqual } from 'node:util';
import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleUpdateOptions,
} from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { keyIdOf } from './encryption/codec.ts';
import { forgiving, isUnreadable } from './encryption/readable.ts';
import { taskQueueOf, WORKFLOW_TYPES } from '../../contract/names.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/search-attributes.ts';
import type { BackupInput } from '../../contract/backup.ts';
import type { DriftInput } from '../../contract/drift.ts';
import type { RotationScheduleInput } from '../../contract/operations/secret-name.ts';

/** What the schedule of drift runs has to be. */
export interface WantedSchedule {
  id: string;
  everySeconds: number;
  input: DriftInput;
  /** Texts that people see in the UI: on the schedule's runs. */
  summary: string;
}

/** What the schedule of backups, or of rotations, has to be. */
export interface WantedByCron {
  id: string;
  /** With the times: the engine gives cron expressions back as something else, and this as it is. */
  input: BackupInput | RotationScheduleInput;
  workflow: 'backup' | 'rotation';
  summary: string;
}

export interface ScheduleView {
  id: string;
  paused: boolean;
  /** Who paused or resumed it, and why; as typed there. */
  note: string;
  everySeconds: number | undefined;
  input: DriftInput | undefined;
  /** ISO 8601, the next few. */
  next: string[];
  running: { workflowId: string; runId: string }[];
  runs: number;
  skippedForOverlap: number;
  missed: number;
}

export interface Schedules {
  /** Creates the schedule, or updates what differs. A pause is kept; when nothing differs, nothing is written. */
  ensure(wanted: WantedSchedule | WantedByCron): Promise<'created' | 'updated' | 'unchanged'>;
  /** @returns false when there was none */
  remove(id: string): Promise<boolean>;
  /** @returns undefined when there is none */
  describe(id: string): Promise<ScheduleView | undefined>;
  /** @returns false when there is none */
  pause(id: string, note: string): Promise<boolean>;
  resume(id: string, note: string): Promise<boolean>;
}

/** After an outage of the engine at most one missed run is made up for, and only one that was due within this time. */
const CATCHUP_MILLISECONDS = 60_000;
/** A run that hangs would keep all later ones from starting. */
const RUN_TIMEOUT = '2 hours';

export function createSchedules(client: Client): Schedules {
  // A schedule whose input is encrypted with a lost key is shown without its input; its next update writes it anew.
  const { schedule } = forgiving(client);
  const describe = (id: string): Promise<ScheduleDescription | undefined> =>
    unlessMissing(() => schedule.getHandle(id).describe());
  return {
    ensure: async (wanted) => {
      const found = await describe(wanted.id);
      if (!found) {
        try {
          await schedule.create({
            scheduleId: wanted.id,
            ...definitionOf(wanted, Date.now()),
            memo: { environment: wanted.input.environment },
            typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.environment, value: wanted.input.environment }],
          });
          return 'created';
        } catch (error) {
          // Somebody else made it in the meantime: then it is compared as any other.
          if (!(error instanceof ScheduleAlreadyRunning)) throw error;
        }
      }
      const handle = schedule.getHandle(wanted.id);
      const now = found ?? (await handle.describe());
      if (isAsWanted(now, wanted) && (await isWrittenAsNow(client, now))) return 'unchanged';
      // The current state of the schedule is passed on, so that a pause is not lost.
      await handle.update(({ state }): ScheduleUpdateOptions => ({ ...definitionOf(wanted, Date.now()), state }));
      return 'updated';
    },
    remove: async (id) =>
      (await unlessMissing(() =>
        schedule
          .getHandle(id)
          .delete()
          .then(() => true),
      )) ?? false,
    describe: async (id) => {
      const found = await describe(id);
      return found && viewOf(found);
    },
    pause: async (id, note) =>
      (await unlessMissing(() =>
        schedule
          .getHandle(id)
          .pause(note)
          .then(() => true),
      )) ?? false,
    resume: async (id, note) =>
      (await unlessMissing(() =>
        schedule
          .getHandle(id)
          .unpause(note)
          .then(() => true),
      )) ?? false,
  };
}

function definitionOf(
  wanted: WantedSchedule | WantedByCron,
  now: number,
): Pick<ScheduleUpdateOptions, 'spec' | 'action' | 'policies'> {
  const { id, input, summary } = wanted;
  const drift = 'everySeconds' in wanted ? wanted : undefined;
  const every = (drift?.everySeconds ?? 0) * 1000;
  return {
    spec:
      'cron' in input
        ? { cronExpressions: [input.cron], timezone: input.timeZone }
        : // Counted from now on: the first run comes one interval later, and environments do not all run at the hour.
          { intervals: [{ every, offset: now % every }] },
    action: {
      type: 'startWorkflow',
      workflowType: typeOf(wanted),
      workflowId: id,
      taskQueue: taskQueueOf(input.environment),
      args: [input],
      workflowExecutionTimeout: RUN_TIMEOUT,
      memo: { environment: input.environment, ...(drift ? { mode: drift.input.mode } : {}) },
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTES.environment, value: input.environment },
        { key: SEARCH_ATTRIBUTES.operation, value: typeOf(wanted) },
      ],
      staticSummary: summary,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_MILLISECONDS, pauseOnFailure: false },
  };
}

function typeOf(wanted: WantedSchedule | WantedByCron): string {
  return WORKFLOW_TYPES['workflow' in wanted ? wanted.workflow : 'drift'];
}

/** Its offset and its pause are its own. */
function isAsWanted(found: ScheduleDescription, wanted: WantedSchedule | WantedByCron): boolean {
  const { spec, action, policies } = found;
  const { intervals = [], calendars = [] } = spec;
  const { input, id } = wanted;
  const atItsTimes =
    !('everySeconds' in wanted) ||
    (intervals.length === 1 && intervals[0]?.every === wanted.everySeconds * 1000 && calendars.length === 0);
  return (
    atItsTimes &&
    policies.overlap === ScheduleOverlapPolicy.SKIP &&
    policies.catchupWindow === CATCHUP_MILLISECONDS &&
    action.workflowType === typeOf(wanted) &&
    action.taskQueue === taskQueueOf(input.environment) &&
    action.workflowId === id &&
    isDeepStrictEqual(action.args, [input])
  );
}

/**
 * Whether the input is encrypted as new input would be: with an older key, that key would have to be kept for this
 * schedule alone.
 */
async function isWrittenAsNow(client: Client, { raw }: ScheduleDescription): Promise<boolean> {
  const payload = raw.schedule?.action?.startWorkflow?.input?.payloads?.[0];
  const [codec] = client.options.loadedDataConverter.payloadCodecs;
  const [written] = (await codec?.encode([defaultPayloadConverter.toPayload(null)])) ?? [];
  return payload === undefined || written === undefined || keyIdOf(payload) === keyIdOf(written);
}

function viewOf({ scheduleId, state, spec, action, info }: ScheduleDescription): ScheduleView {
  const every = spec.intervals?.[0]?.every;
  return {
    id: scheduleId,
    paused: state.paused,
    note: state.note ?? '',
    everySeconds: every === undefined ? undefined : every / 1000,
    input: isUnreadable(action.args?.[0]) ? undefined : (action.args?.[0] as DriftInput | undefined),
    next: info.nextActionTimes.slice(0, 3).map((time) => time.toISOString()),
    running: info.runningActions.map(({ workflow }) => ({
      workflowId: workflow.workflowId,
      runId: workflow.firstExecutionRunId,
    })),
    runs: info.numActionsTaken,
    skippedForOverlap: info.numActionsSkippedOverlap,
    missed: info.numActionsMissedCatchupWindow,
  };
}

async function unlessMissing<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
