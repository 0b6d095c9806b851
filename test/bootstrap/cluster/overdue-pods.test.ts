import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../../bootstrap/cluster/api.ts';
import { requeueOverduePods } from '../../../bootstrap/cluster/index.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();
const READY_AT = 'simulation.ananta.dev/ready-at';

interface Life {
  node?: string;
  scheduled?: number;
  readyAt?: number;
  deleted?: number;
  ready?: boolean;
  phase?: string;
  waits?: boolean;
  job?: boolean;
  finalizers?: string[];
  release?: string;
}

function pod(
  name: string,
  {
    node = 'node-1',
    scheduled = 60,
    readyAt,
    deleted,
    ready = false,
    phase = 'Running',
    waits = false,
    job = false,
    finalizers,
    release = name,
  }: Life,
): object {
  return {
    metadata: {
      name,
      namespace: 'a',
      labels: { 'app.kubernetes.io/instance': release, ...(job ? { 'batch.kubernetes.io/job-name': name } : {}) },
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(readyAt === undefined ? {} : { annotations: { [READY_AT]: ago(readyAt) } }),
      ...(deleted === undefined ? {} : { deletionTimestamp: ago(deleted) }),
    },
    spec: { nodeName: node },
    status: {
      phase,
      conditions: [
        { type: 'PodScheduled', status: 'True', lastTransitionTime: ago(scheduled) },
        { type: 'Ready', status: ready ? 'True' : 'False' },
      ],
      containerStatuses: [
        { state: waits ? { waiting: { reason: 'CrashLoopBackOff' } } : { running: { startedAt: ago(60) } } },
      ],
    },
  };
}

test('pods whose next step should have come are touched, and no others', async () => {
  const items = [
    pod('never-started', { phase: 'Pending' }),
    pod('just-scheduled', { phase: 'Pending', scheduled: 2 }),
    pod('late', { readyAt: 5 }),
    pod('soon', { readyAt: 3 }),
    pod('in-time', { readyAt: -20 }),
    pod('well', { readyAt: 60, ready: true }),
    pod('late-job', { readyAt: 5, job: true, ready: true }),
    pod('done-job', { readyAt: 60, job: true, phase: 'Succeeded' }),
    pod('late-to-go', { deleted: 5, readyAt: 60, ready: true }),
    pod('going', { deleted: -20, readyAt: 60, ready: true }),
    pod('held', { deleted: 60, finalizers: ['somebody/holds'] }),
    pod('crashes', { readyAt: 60, waits: true }),
    pod('never-ready', { readyAt: 60 }),
    pod('real', { node: 'real', phase: 'Pending' }),
    { ...pod('unscheduled', { phase: 'Pending' }), spec: {} },
  ];
  const touched: string[] = [];
  const api = {
    request: (method: string, path: string): Promise<unknown> => {
      if (method === 'PATCH') touched.push(path);
      return Promise.resolve(
        path.includes('/stages')
          ? { items: [{ metadata: { labels: { 'simulation.ananta.dev/failure': 'never-ready' } } }] }
          : { items },
      );
    },
  };
  const expected = ['never-started', 'late', 'late-job', 'late-to-go'];
  assert.deepEqual(
    await requeueOverduePods(api, NOW),
    expected.map((name) => `a/${name}`),
  );
  assert.deepEqual(
    touched,
    expected.map((name) => `/api/v1/namespaces/a/pods/${name}`),
  );
});

test('where nothing is overdue nothing more is asked', async () => {
  const asked: string[] = [];
  const api = {
    request: (_method: string, path: string): Promise<unknown> => {
      asked.push(path);
      return Promise.resolve({ items: [pod('well', { readyAt: 60, ready: true })] });
    },
  };
  assert.deepEqual(await requeueOverduePods(api, NOW), []);
  assert.deepEqual(asked, ['/api/v1/pods?resourceVersion=0']);
});

test('a pod that has gone since it was looked at is no matter, an API server that is away is', async () => {
  const items = [pod('gone', {}), pod('late', {})];
  const answering = (status: number): Parameters<typeof requeueOverduePods>[0] => ({
    request: (method, path) => {
      if (method === 'PATCH' && path.endsWith('/gone')) return Promise.reject(new ApiError(status, 'answered'));
      return Promise.resolve({ items: path.includes('/stages') ? [] : items });
    },
  });
  assert.deepEqual(await requeueOverduePods(answering(404), NOW), ['a/late']);
  await assert.rejects(requeueOverduePods(answering(503), NOW), ApiError);
});
