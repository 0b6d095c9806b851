import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isPodReady, isPodRunning, podTrouble, troubleText } from '../../../src/plan/health/index.ts';

const pod = (status: Record<string, unknown>): unknown => ({ metadata: { name: 'x-0' }, status });
const ready = { type: 'Ready', status: 'True' };

describe('pods', () => {
  const cases: [string, Record<string, unknown>, string | undefined][] = [
    ['ready', { phase: 'Running', conditions: [ready], containerStatuses: [{ name: 'main', ready: true }] }, undefined],
    ['succeeded', { phase: 'Succeeded' }, undefined],
    [
      'image missing',
      {
        phase: 'Pending',
        containerStatuses: [
          { name: 'main', state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } },
        ],
      },
      'pod x-0, container main: ImagePullBackOff (no such image)',
    ],
    [
      'crashing',
      {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'main',
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
            lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
          },
        ],
      },
      'pod x-0, container main: CrashLoopBackOff (last exit 137 OOMKilled)',
    ],
    [
      'between two crashes',
      {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'main',
            ready: false,
            restartCount: 2,
            state: { running: {} },
            lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
          },
        ],
      },
      'pod x-0, container main: OOMKilled (exit code 137 before its last restart; it runs again and is not ready, 2 restarts)',
    ],
    [
      'ready after a crash',
      {
        phase: 'Running',
        conditions: [ready],
        containerStatuses: [
          {
            name: 'main',
            ready: true,
            restartCount: 2,
            state: { running: {} },
            lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
          },
        ],
      },
      undefined,
    ],
    [
      'creating is not yet a trouble of the container',
      { phase: 'Pending', containerStatuses: [{ name: 'main', state: { waiting: { reason: 'ContainerCreating' } } }] },
      'pod x-0, container main: Pending',
    ],
    [
      'unschedulable',
      {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }],
      },
      'pod x-0: Unschedulable (0/3 nodes)',
    ],
    [
      'not ready',
      {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [{ name: 'main', ready: false, state: { running: {} } }],
      },
      'pod x-0, container main: NotReady (it runs, but its readiness probe has not succeeded)',
    ],
    [
      'ended badly',
      {
        phase: 'Failed',
        containerStatuses: [{ name: 'main', state: { terminated: { exitCode: 3, reason: 'Error', message: 'boom' } } }],
      },
      'pod x-0, container main: Error (exit code 3: boom)',
    ],
    ['evicted', { phase: 'Failed', reason: 'Evicted', message: 'low on disk' }, 'pod x-0: Evicted (low on disk)'],
    [
      'an init container',
      { phase: 'Pending', initContainerStatuses: [{ name: 'init', state: { terminated: { exitCode: 1 } } }] },
      'pod x-0, container init: Error (exit code 1)',
    ],
    ['no status', {}, 'pod x-0: Pending'],
  ];
  for (const [name, status, text] of cases) {
    test(name, () => {
      const trouble = podTrouble(pod(status));
      assert.equal(trouble && troubleText(trouble), text);
    });
  }
  test('ready and running are told apart, and an ending pod is neither', () => {
    assert.equal(isPodReady(pod({ phase: 'Running', conditions: [ready] })), true);
    assert.equal(isPodReady(pod({ phase: 'Running' })), false);
    assert.equal(isPodRunning(pod({ phase: 'Running' })), true);
    assert.equal(
      isPodRunning({
        metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' },
        status: { phase: 'Running', conditions: [ready] },
      }),
      false,
    );
    assert.equal(
      isPodReady({
        metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' },
        status: { phase: 'Running', conditions: [ready] },
      }),
      false,
    );
  });
});
