import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FAILURES } from '../../../src/contract/failures.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import {
  requireAllowed,
  requireConfirmed,
  requireOpenableGates,
  requireSource,
} from '../../../src/plan/nexus/allowed.ts';
import type { NexusRefusedError } from '../../../src/plan/nexus/refused.ts';

const shop = {
  name: 'shop',
  nexus: { operations: ['status' as const], callers: ['payments'], promoteFrom: ['qa'] },
};
const caller = { namespace: 'payments', workflowId: 'w', runId: 'r' };

function refusal(work: () => void): [string, string] {
  try {
    work();
  } catch (error) {
    const { type, message } = error as NexusRefusedError;
    return [type, message];
  }
  return ['', ''];
}

describe('what an environment lets others ask', () => {
  test('nothing, where its file says nothing; then what it says, of whom it says', () => {
    const words = (environment: Parameters<typeof requireAllowed>[0], by: typeof caller | undefined): string =>
      refusal(() => {
        requireAllowed(environment, 'status', by);
      }).join(' ');
    assert.equal(words(shop, caller), ' ');
    assert.match(words({ name: 'shop', nexus: undefined }, caller), /^Forbidden .*takes no Nexus operations/);
    assert.match(words(shop, undefined), /^Forbidden Only workflows may ask/);
    assert.match(words(shop, { ...caller, namespace: 'orders' }), /^Forbidden .*"orders" may not ask/);
    assert.match(
      words({ ...shop, nexus: { ...shop.nexus, operations: ['verify'] } }, caller),
      /does not take .*status/,
    );
  });

  test('a protected environment is named on purpose, and another name never fits', () => {
    const words = (isProtected: boolean, confirm?: string): string =>
      refusal(() => {
        requireConfirmed({ name: 'shop', protected: isProtected }, confirm);
      })[0];
    assert.deepEqual(
      [words(true), words(true, 'shop'), words(false), words(false, 'shop'), words(false, 'prod')],
      [FAILURES.notConfirmed, '', '', '', FAILURES.notConfirmed],
    );
  });

  test('a gate that has to know which person has asked could never open: said at once', () => {
    const gate = { name: 'four-eyes', notSelf: true, operations: ['deploy'] };
    const words = (more: object): string =>
      refusal(() => {
        requireOpenableGates({ name: 'shop', approvals: [{ ...gate, ...more }] } as unknown as Environment);
      })[1];
    assert.match(words({}), /gate four-eyes.*notSelf: false/s);
    for (const more of [
      { notSelf: false },
      { operations: ['rollback'] },
      { services: ['web'] },
      { autoApprove: 'policy' },
    ])
      assert.equal(words(more), '', JSON.stringify(more));
  });

  test('only what the file names is promoted', () => {
    const words = (from: string): string =>
      refusal(() => {
        requireSource(shop, from);
      })[1];
    assert.equal(words('qa'), '');
    assert.match(words('shop'), /not promoted to itself/);
    assert.match(words('dev'), /from "dev" to "shop".*allows qa/);
  });
});
