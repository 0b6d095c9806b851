/**
 * A value stored on the engine without expiry: in the input of a schedule that never runs, since the engine deletes
 * everything else after its retention time. Never encrypted, so that it can be read when every key is lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, type ScheduleOptions } from '@temporalio/client';
import { withoutKeys } from './encryption/readable.ts';

const TAKEN_IN_WITHIN_MILLISECONDS = 3_000;
const LOOK_EVERY_MILLISECONDS = 100;

export interface Kept {
  scheduleId: string;
  /** Of which kind it is, where the Temporal UI lists schedules. */
  workflowType: string;
  value: unknown;
  /** What it is, for whoever finds it there. */
  note: string;
}

/** @returns undefined where there is none */
export async function readKept(client: Client, scheduleId: string): Promise<{ value: unknown } | undefined> {
  try {
    const { action } = await withoutKeys(client).schedule.getHandle(scheduleId).describe();
    return { value: action.args?.[0] };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** @returns false when there is one already: it stays as it is */
export async function keep(client: Client, kept: Kept): Promise<boolean> {
  try {
    await withoutKeys(client).schedule.create({ scheduleId: kept.scheduleId, ...definitionOf(kept) });
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}

/**
 * In place of what is there. The engine answers before it has worked, and drops an update without a word when the
 * schedule has changed in between.
 * @returns false when it was not taken in
 */
export async function keepInstead(client: Client, kept: Kept): Promise<boolean> {
  await withoutKeys(client)
    .schedule.getHandle(kept.scheduleId)
    .update(() => definitionOf(kept));
  for (const until = Date.now() + TAKEN_IN_WITHIN_MILLISECONDS; ; ) {
    if (isDeepStrictEqual((await readKept(client, kept.scheduleId))?.value, kept.value)) return true;
    if (Date.now() > until) return false;
    await sleep(LOOK_EVERY_MILLISECONDS);
  }
}

function definitionOf({
  workflowType,
  value,
  note,
}: Kept): Pick<ScheduleOptions, 'spec' | 'action'> & { state: { paused: true; note: string } } {
  return {
    // Paused, a schedule is kept for ever; also if somebody resumes it, its time does not come.
    spec: { intervals: [{ every: '36500 days' }] },
    action: {
      // No worker polls this task queue: nothing happens when somebody triggers the schedule in the UI.
      type: 'startWorkflow',
      workflowType,
      taskQueue: 'nobody',
      workflowRunTimeout: '1 minute',
      args: [value],
    },
    state: { paused: true, note },
  };
}
