/** The context of an activity without an engine: heartbeats are recorded, cancellation is a function call. */
import { randomUUID } from 'node:crypto';
import type { Scope } from '../../src/activities/scope.ts';

export interface TestScope extends Scope {
  beats: unknown[];
  cancel: () => void;
}

export function testScope(lastDetail?: unknown): TestScope {
  const controller = new AbortController();
  const beats: unknown[] = [];
  return {
    signal: controller.signal,
    lastDetail,
    wantedAt: Date.now(),
    attempt: 1,
    maximumAttempts: 0,
    limitMilliseconds: 600_000,
    step: randomUUID(),
    activity: 'tested',
    beats,
    heartbeat: (detail) => {
      beats.push(detail);
    },
    cancel: () => {
      controller.abort(new Error('cancelled'));
    },
  };
}
