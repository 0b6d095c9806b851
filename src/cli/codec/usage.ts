/**
 * What on the engine may still be encrypted with a key: as long as there is something, the key is needed to read it.
 */
import type { Client } from '@temporalio/client';
import { keyIdOf } from '../../clients/temporal/encryption/codec.ts';
import { type KeyRing, replacedAt } from '../../clients/temporal/encryption/ring.ts';
import { taskQueueOf } from '../../contract/names.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/search-attributes.ts';

/** Clocks of several machines, and those that have read the file a moment later. */
const SLACK_MILLISECONDS = 120_000;

export interface KeyUsage {
  /** Workflows that ran while the key wrote, and that the engine still keeps. */
  workflows: number;
  /** Schedules whose input is encrypted with it; the next deployment writes them anew. */
  schedules: number;
}

/** By the key's id. @param only of one key */
export async function usageOf(
  client: Client,
  environment: string,
  ring: KeyRing,
  only?: string,
): Promise<Map<string, KeyUsage>> {
  const schedules = await keysOfSchedules(client, environment);
  const wanted = ring.keys.filter(({ id }) => only === undefined || id === only);
  const found = await Promise.all(
    wanted.map(async ({ id, writesFrom }): Promise<[string, KeyUsage]> => {
      const until = replacedAt(ring, id);
      const { count } = await client.workflow.count(queryOf(environment, Date.parse(writesFrom), until));
      return [id, { workflows: count, schedules: schedules.filter((key) => key === id).length }];
    }),
  );
  return new Map(found);
}

function queryOf(environment: string, from: number, until: number | undefined): string {
  const at = (time: number): string => `'${new Date(time).toISOString()}'`;
  return [
    `TaskQueue = '${taskQueueOf(environment)}'`,
    ...(until === undefined ? [] : [`StartTime <= ${at(until + SLACK_MILLISECONDS)}`]),
    `(ExecutionStatus = 'Running' OR CloseTime >= ${at(from - SLACK_MILLISECONDS)})`,
  ].join(' AND ');
}

async function keysOfSchedules(client: Client, environment: string): Promise<string[]> {
  const { namespace } = client.options;
  const query = `${SEARCH_ATTRIBUTES.environment.name} = '${environment}'`;
  const keys: string[] = [];
  const { schedules } = await client.workflowService.listSchedules({ namespace, query, maximumPageSize: 100 });
  for (const { scheduleId } of schedules) {
    if (!scheduleId) continue;
    const { schedule } = await client.workflowService.describeSchedule({ namespace, scheduleId });
    for (const payload of schedule?.action?.startWorkflow?.input?.payloads ?? []) {
      const key = keyIdOf(payload);
      if (key !== undefined) keys.push(key);
    }
  }
  return keys;
}
