import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withHeartbeat } from '../../src/activities/scope.ts';
import { testScope } from '../support/scope.ts';

test('a process that stood still begins nothing that was given to somebody else meanwhile', async (context) => {
  context.mock.timers.enable({ apis: ['Date'] });
  const ask = (stoodStill: number): Promise<void> =>
    withHeartbeat(
      testScope(),
      () => '',
      async (turn) => {
        await turn.assertOurs();
        context.mock.timers.tick(stoodStill);
        // A heartbeat that comes before the question does not hide that the process stood still.
        await sleep(1100);
        await turn.assertOurs();
      },
    );
  await ask(5000);
  await assert.rejects(ask(60_000), {
    type: 'HelmInterrupted',
    message: "this worker stood still for 60 s: by now the step is somebody else's",
  });
});
