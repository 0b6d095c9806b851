/** Every check of the verification stage, once, now; for `ananta verify --deep`. */
import { randomUUID } from 'node:crypto';
import PQueue from 'p-queue';
import type { Environment } from '../../environment/schema.ts';
import { findCheck, plannedChecks } from '../../plan/checks/planned.ts';
import { createDeadline } from '../wait/deadline.ts';
import { type Checking, makeCheck } from './run.ts';

export interface CheckRow {
  service: string;
  name: string;
  kind: string;
  outcome: 'passed' | 'failed' | 'skipped';
  /** What proved it, what came back instead, or why it is not made. */
  text: string;
  seconds: number;
}

const AT_ONCE = 8;

/** Rows in the order of the catalog. What asks a server is asked once; a Job is waited for. */
export async function checkAll(clients: Checking, environment: Environment, signal: AbortSignal): Promise<CheckRow[]> {
  await clients.kubernetes.watches.synced(signal);
  const queue = new PQueue({ concurrency: AT_ONCE });
  const run = randomUUID();
  const rows = await Promise.all(
    plannedChecks(clients.catalog, environment).map((planned) =>
      queue.add(async (): Promise<CheckRow> => {
        const { service, name, kind, skipped, timeoutSeconds } = planned;
        if (skipped !== undefined) return { service, name, kind, outcome: 'skipped', text: skipped, seconds: 0 };
        const found = findCheck(clients.catalog, planned);
        if (found === undefined) throw new Error(`The catalog has lost its check ${service}/${name}.`);
        const deadline = createDeadline({ limitSeconds: timeoutSeconds, spentSeconds: 0, signal });
        const { ok, text } = await makeCheck(
          clients,
          environment,
          { ...found, imageTags: {}, run, timeoutSeconds, once: true },
          { deadline, signal, onStatus: () => undefined },
        );
        return {
          service,
          name,
          kind,
          outcome: ok ? 'passed' : 'failed',
          text: clients.redactor.redactForeign(text),
          seconds: Math.round(deadline.spent() * 1000) / 1000,
        };
      }),
    ),
  );
  return rows;
}
