import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  daemonSetHealth,
  deploymentHealth,
  jobHealth,
  observedHealth,
  persistentVolumeClaimHealth,
  releaseHealth,
  statefulSetHealth,
} from '../../../src/plan/health/index.ts';
import { check } from './table.ts';

describe('Deployment', () => {
  const ready = { observedGeneration: 1, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };
  check(deploymentHealth, [
    { name: 'no status at all is no answer', is: 'progressing', says: /not been picked up/ },
    {
      name: 'a status of the generation before does not count',
      generation: 2,
      spec: { replicas: 3 },
      status: ready,
      is: 'progressing',
      says: /not been picked up/,
    },
    { name: 'all available', spec: { replicas: 3 }, status: ready, is: 'healthy', says: '3/3 replicas available' },
    {
      name: 'replicas default to one',
      status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
      is: 'healthy',
      says: '1/1 replicas available',
    },
    {
      name: 'scaled to nothing',
      spec: { replicas: 0 },
      status: { observedGeneration: 1 },
      is: 'healthy',
      says: '0/0 replicas available',
    },
    {
      name: 'not all updated',
      spec: { replicas: 3 },
      status: { ...ready, updatedReplicas: 1 },
      is: 'progressing',
      says: '1/3 replicas updated',
    },
    {
      name: 'old ones are still there',
      spec: { replicas: 3 },
      status: { ...ready, replicas: 4 },
      is: 'progressing',
      says: '1 old replicas have yet to end',
    },
    {
      name: 'not all available',
      spec: { replicas: 3 },
      status: { ...ready, availableReplicas: 2 },
      is: 'progressing',
      says: '2/3 replicas available',
    },
    {
      name: 'past its own deadline it is still only progressing, and says why',
      spec: { replicas: 3 },
      status: {
        ...ready,
        availableReplicas: 0,
        conditions: [
          { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' },
        ],
      },
      is: 'progressing',
      says: '0/3 replicas available (ProgressDeadlineExceeded: timed out)',
    },
    {
      name: 'pods that may not be made are named',
      spec: { replicas: 1 },
      status: {
        observedGeneration: 1,
        conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' }],
      },
      is: 'progressing',
      says: '0/1 replicas updated (FailedCreate: exceeded quota)',
    },
    {
      name: 'paused',
      spec: { replicas: 1, paused: true },
      status: { observedGeneration: 1 },
      is: 'progressing',
      says: 'its rollout is paused',
    },
  ]);
});

describe('StatefulSet', () => {
  const ready = {
    observedGeneration: 1,
    replicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    updatedReplicas: 3,
    currentRevision: 'b',
    updateRevision: 'b',
  };
  const halfway = { ...ready, updatedReplicas: 1, currentRevision: 'a' };
  check(statefulSetHealth, [
    {
      name: 'a status of the generation before does not count',
      generation: 2,
      spec: { replicas: 3 },
      status: ready,
      is: 'progressing',
      says: /not been picked up/,
    },
    { name: 'all ready', spec: { replicas: 3 }, status: ready, is: 'healthy', says: '3/3 replicas ready' },
    {
      name: 'not all ready',
      spec: { replicas: 3 },
      status: { ...ready, readyReplicas: 2, availableReplicas: 2 },
      is: 'progressing',
      says: '2/3 replicas ready',
    },
    {
      name: 'ready but not available yet',
      spec: { replicas: 3 },
      status: { ...ready, availableReplicas: 1 },
      is: 'progressing',
      says: '1/3 replicas ready',
    },
    {
      name: 'ready, but of the old template',
      spec: { replicas: 3 },
      status: halfway,
      is: 'progressing',
      says: '1/3 replicas updated',
    },
    {
      name: 'OnDelete does not wait for the new template',
      spec: { replicas: 3, updateStrategy: { type: 'OnDelete' } },
      status: halfway,
      is: 'healthy',
      says: /replaced when they are deleted/,
    },
    {
      name: 'above the partition all are updated',
      spec: { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
      status: halfway,
      is: 'healthy',
      says: '3/3 replicas ready',
    },
    {
      name: 'above the partition one is missing',
      spec: { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } },
      status: halfway,
      is: 'progressing',
      says: '1/2 replicas updated',
    },
    {
      name: 'scaling down',
      spec: { replicas: 1 },
      status: { ...ready, replicas: 2 },
      is: 'progressing',
      says: '1 replicas too many have yet to end',
    },
  ]);
});

describe('DaemonSet', () => {
  const ready = { observedGeneration: 1, desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 };
  check(daemonSetHealth, [
    { name: 'no status', is: 'progressing', says: /not been picked up/ },
    { name: 'on all nodes', status: ready, is: 'healthy', says: '2/2 nodes available' },
    {
      name: 'not updated everywhere',
      status: { ...ready, updatedNumberScheduled: 1 },
      is: 'progressing',
      says: '1/2 nodes updated',
    },
    {
      name: 'OnDelete',
      spec: { updateStrategy: { type: 'OnDelete' } },
      status: { ...ready, updatedNumberScheduled: 0 },
      is: 'healthy',
      says: '2/2 nodes available',
    },
    {
      name: 'not available everywhere',
      status: { ...ready, numberAvailable: 1 },
      is: 'progressing',
      says: '1/2 nodes available',
    },
  ]);
});

describe('Job', () => {
  check(jobHealth, [
    { name: 'just made', is: 'progressing', says: 'Job runs: 0/1 completed, 0 active' },
    {
      name: 'retrying',
      status: { active: 1, failed: 2 },
      is: 'progressing',
      says: 'Job runs: 0/1 completed, 1 active, 2 attempts failed',
    },
    {
      name: 'completed',
      status: {
        succeeded: 1,
        conditions: [
          { type: 'SuccessCriteriaMet', status: 'True' },
          { type: 'Complete', status: 'True' },
        ],
      },
      is: 'healthy',
      says: 'Job completed',
    },
    {
      name: 'criteria met, pods still ending',
      status: { succeeded: 1, conditions: [{ type: 'SuccessCriteriaMet', status: 'True' }] },
      is: 'progressing',
      says: /Job runs/,
    },
    {
      name: 'failed for good',
      status: {
        failed: 3,
        conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'too often' }],
      },
      is: 'failed',
      says: 'Job failed: BackoffLimitExceeded, too often',
    },
    { name: 'suspended', spec: { suspend: true }, is: 'progressing', says: 'Job is suspended' },
  ]);
});

describe('PersistentVolumeClaim', () => {
  check(persistentVolumeClaimHealth, [
    { name: 'bound', status: { phase: 'Bound' }, is: 'healthy', says: 'bound' },
    { name: 'pending without a class', is: 'progressing', says: /no default one/ },
    {
      name: 'pending with a class',
      spec: { storageClassName: 'fast' },
      status: { phase: 'Pending' },
      is: 'progressing',
      says: /storage class fast/,
    },
    { name: 'lost', status: { phase: 'Lost' }, is: 'failed', says: /lost its volume/ },
  ]);
});

describe('release', () => {
  const good = { kind: 'Deployment' as const, name: 'a', object: { metadata: { name: 'a' }, spec: { replicas: 0 } } };
  const bad = {
    kind: 'Job' as const,
    name: 'j',
    object: {
      metadata: { name: 'j' },
      status: { conditions: [{ type: 'Failed', status: 'True', reason: 'DeadlineExceeded' }] },
    },
  };
  const busy = { kind: 'Deployment' as const, name: 'b', object: { metadata: { name: 'b' }, spec: { replicas: 1 } } };
  test('the worst decides', () => {
    assert.equal(releaseHealth([good, busy]).status, 'progressing');
    assert.deepEqual(releaseHealth([good, busy, bad]), {
      status: 'failed',
      message: 'Job j: Job failed: DeadlineExceeded',
    });
    assert.equal(releaseHealth([good]).status, 'healthy');
  });
  test('as the plan sees it', () => {
    assert.deepEqual(observedHealth([good]), { healthy: true, reason: '', jobFailed: false });
    assert.deepEqual(observedHealth([bad]), {
      healthy: false,
      reason: 'Job j: Job failed: DeadlineExceeded',
      jobFailed: true,
    });
    assert.equal(observedHealth([busy]).jobFailed, false);
  });
});
