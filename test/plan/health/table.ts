/** One line a case: what the object says, what is made of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Health } from '../../../src/plan/health/index.ts';

export interface Case {
  name: string;
  /** Merged over `{ metadata: { name: 'x', generation: 1 } }`. */
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  generation?: number;
  is: Health['status'];
  says: string | RegExp;
}

export function check(judge: (object: unknown) => Health, cases: Case[]): void {
  for (const { name, spec, status, generation, is, says } of cases) {
    test(name, () => {
      const health = judge({
        metadata: { name: 'x', generation: generation ?? 1 },
        ...(spec ? { spec } : {}),
        ...(status ? { status } : {}),
      });
      assert.equal(health.status, is, health.message);
      if (typeof says === 'string') assert.equal(health.message, says);
      else assert.match(health.message, says);
    });
  }
}
