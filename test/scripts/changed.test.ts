/** The picture for the docs is of an operation that changed something. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedSomething } from '../../scripts/changed.ts';
import type { LiveEvent } from '../../src/cli/render/live.ts';

const ended = (changed: boolean): LiveEvent => ({
  kind: 'progress',
  event: {
    service: 'vault',
    state: changed ? 'healthy' : 'unchanged',
    at: 2,
    outcome: { name: 'vault', phase: 1, state: changed ? 'healthy' : 'unchanged', seconds: 1, changed },
  },
});
const began: LiveEvent = { kind: 'progress', event: { service: 'vault', state: 'applying', at: 1 } };

test('an operation with nothing to do, and one that ended before anything was changed, are not shown', () => {
  assert.equal(changedSomething([{ kind: 'started', at: 0 }]), false);
  assert.equal(changedSomething([{ kind: 'started', at: 0 }, began, ended(false)]), false);
  assert.equal(changedSomething([{ kind: 'started', at: 0 }, began, ended(false), ended(true)]), true);
});
