/**
 * What the stand-ins say of their own wiring: everything succeeded, and what the order promises did at the first
 * attempt.
 */
import assert from 'node:assert/strict';
import { reportSchema } from '../../images/standin/check.ts';
import type { Platform } from '../support/platform.ts';

/** @returns how many stand-ins were asked */
export async function checkStandIns(platform: Platform): Promise<number> {
  const wrong: string[] = [];
  let asked = 0;
  for (const { release, ready, address, ports } of await platform.pods()) {
    if (!ready) continue;
    for (const port of ports) {
      const report = await reportAt(`http://${address}:${port}/standin/report`);
      if (report === undefined) continue;
      asked += 1;
      for (const problem of report.problems) wrong.push(`${release}: ${problem}`);
      for (const check of report.checks)
        if (!check.ok && check.when !== 'late')
          wrong.push(`${release}: ${check.kind} ${check.target} (${check.what}): ${check.error ?? 'not tried'}`);
      break;
    }
  }
  assert.deepEqual(wrong, []);
  return asked;
}

async function reportAt(url: string): Promise<ReturnType<typeof reportSchema.parse> | undefined> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
  if (answer?.ok !== true) return undefined;
  const parsed = reportSchema.safeParse(await answer.json().catch(() => undefined));
  return parsed.data;
}
