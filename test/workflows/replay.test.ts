/** Workflow code must be able to continue what older code began: recorded histories are replayed with today's code. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import proto from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { workflowBuild } from '../../src/clients/temporal/bundle.ts';
import { readConfig } from '../../src/config.ts';
import { quietRuntime } from '../support/engine.ts';

const folder = join(import.meta.dirname, 'histories');
const recordings = readdirSync(folder).filter((file) => file.endsWith('.json.gz'));

describe('replay', () => {
  before(() => quietRuntime());

  test('a clean, a failed and a resumed deployment, the operations of day two, and plans of steps are recorded', () => {
    assert.deepEqual(recordings.sort(), [
      'clean.json.gz',
      'day-two.json.gz',
      'failed.json.gz',
      'resumed.json.gz',
      'steps.json.gz',
    ]);
  });

  for (const file of recordings) {
    test(file, async () => {
      const { repoRoot, stateRoot } = readConfig();
      const { path: codePath } = await workflowBuild(repoRoot, stateRoot);
      const recorded = JSON.parse(gunzipSync(readFileSync(join(folder, file))).toString()) as {
        workflowId: string;
        history: string;
      }[];
      assert.ok(recorded.length >= 15, `only ${recorded.length} workflows`);
      const histories = recorded.map(({ workflowId, history }) => ({
        workflowId,
        history: proto.temporal.api.history.v1.History.decode(Buffer.from(history, 'base64')),
      }));
      let replayed = 0;
      for await (const result of Worker.runReplayHistories({ workflowBundle: { codePath } }, histories)) {
        assert.equal(result.error, undefined, `${result.workflowId}: ${result.error?.message ?? ''}`);
        replayed += 1;
      }
      assert.equal(replayed, recorded.length);
    });
  }
});
