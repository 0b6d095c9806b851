import { DeployError } from '../../src/contract/errors.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { z } from 'zod';
import { asFailure, classify } from '../../src/activities/failures.ts';
import { HelmError } from '../../src/clients/helm/index.ts';
import {
  ClusterMismatchError,
  KubeconfigError,
  KubernetesError,
  UnreachableError,
} from '../../src/clients/kubernetes/index.ts';
import { ChartDigestError } from '../../src/clients/charts/index.ts';
import { ConfigurationError } from '../../src/environment/errors.ts';
import { PlanRefusedError } from '../../src/plan/charts/source.ts';
import { ForeignReleaseError } from '../../src/plan/ownership/foreign.ts';
import { OwnerMismatchError } from '../../src/plan/ownership/ownership.ts';
import { NotConfirmedError } from '../../src/plan/ownership/protection.ts';
import { DependencyMissingError, SelectionError } from '../../src/plan/selection.ts';
import { createRedactor } from '../../src/clients/redact.ts';
import {
  VaultError,
  VaultKeysMissingError,
  VaultSealedError,
  VaultUnreachableError,
} from '../../src/clients/vault/index.ts';

const kubernetes = (status: number, message = '', reason = ''): KubernetesError =>
  new KubernetesError('PATCH /x', status, reason, message);

describe('classes of errors', () => {
  const cases: [string, unknown, string, boolean][] = [
    ['on purpose', new DeployError('JobFailed', 'x'), 'JobFailed', true],
    ['Helm', new HelmError('ChartInvalid', 'x'), 'ChartInvalid', true],
    ['Helm, interrupted', new HelmError('HelmInterrupted', 'x'), 'HelmInterrupted', false],
    ['no API server', new UnreachableError('x'), 'Unreachable', false],
    ['no Vault', new VaultUnreachableError('x'), 'Unreachable', false],
    ['sealed', new VaultSealedError('x'), 'VaultSealed', false],
    ['no keys', new VaultKeysMissingError('x'), 'VaultKeysMissing', true],
    ['Vault says no', new VaultError('read x', 403, 'permission denied'), 'Unexpected', false],
    ['another cluster', new ClusterMismatchError('x'), 'ClusterMismatch', true],
    ['kubeconfig', new KubeconfigError('x'), 'InvalidInput', true],
    ['a right is missing', kubernetes(403, 'cannot list'), 'Forbidden', true],
    ['quota', kubernetes(403, 'exceeded quota'), 'RejectedByCluster', true],
    [
      'conflict of fields',
      kubernetes(409, 'Apply failed with 1 conflict: conflict with "kubectl"', 'Conflict'),
      'FieldConflict',
      true,
    ],
    ['invalid', kubernetes(422, 'is invalid'), 'RejectedByCluster', true],
    ['immutable', kubernetes(422, 'field is immutable'), 'ImmutableField', true],
    ['too large', kubernetes(413, 'too large'), 'RejectedByCluster', true],
    ['busy', kubernetes(429, 'too many requests'), 'Unreachable', false],
    ['broken', kubernetes(500, 'etcd'), 'Unreachable', false],
    ['too large for etcd', kubernetes(500, 'etcdserver: request is too large'), 'RejectedByCluster', true],
    ['etcd is full', kubernetes(500, 'etcdserver: mvcc: database space exceeded'), 'Unreachable', false],
    [
      'etcd is full while an address is given',
      kubernetes(422, 'failed to allocate IP: etcdserver: mvcc: database space exceeded', 'Invalid'),
      'Unreachable',
      false,
    ],
    ['no address left', kubernetes(500, 'failed to allocate a serviceIP: range is full'), 'RejectedByCluster', true],
    [
      'a webhook that is down',
      kubernetes(500, 'Internal error occurred: failed calling webhook "a.b"'),
      'WebhookFailed',
      false,
    ],
    ['token ran out', kubernetes(401, 'Unauthorized'), 'Unreachable', false],
    ['a bug', new TypeError('undefined is not'), 'Unexpected', false],
    ['no error at all', 'text', 'Unexpected', false],
  ];
  for (const [name, error, type, final] of cases) {
    test(name, () => {
      const failure = asFailure(error, createRedactor(), false);
      assert.ok(failure instanceof ApplicationFailure);
      assert.deepEqual([failure.type, failure.nonRetryable], [type, final]);
    });
  }

  test('every error of ours says its own class, whichever folder it comes from', () => {
    const refusals: [Error, string][] = [
      [new PlanRefusedError('charts'), 'InvalidInput'],
      [new SelectionError('web'), 'InvalidInput'],
      [new DependencyMissingError('web'), 'DependencyMissing'],
      [new ConfigurationError([]), 'InvalidInput'],
      [new ForeignReleaseError('e', []), 'NotOurs'],
      [new NotConfirmedError('prod'), 'NotConfirmed'],
      [new OwnerMismatchError('x', 'rebind'), 'ClusterOwned'],
      [new ChartDigestError('x'), 'ChartInvalid'],
    ];
    for (const [refusal, type] of refusals) assert.equal(classify(refusal).type, type, refusal.name);
  });

  test('an answer of another shape names the fields', () => {
    const { error } = z.object({ a: z.object({ b: z.string() }) }).safeParse({ a: {} });
    assert.match(classify(error).message, /unexpected shape: a\.b/);
  });

  test('an answer of megabytes is told by its beginning and its end', () => {
    const long = `${'a'.repeat(6000)}${'secret-value'.repeat(200_000)}it is invalid`;
    const redactor = createRedactor();
    redactor.learn('secret-value');
    const { message } = asFailure(kubernetes(422, long), redactor, false, () => 'Tried twice.');
    assert.ok(message.length < 9000, String(message.length));
    assert.match(
      message,
      /^PATCH \/x: 422 a+.* characters, the middle is left out\) … .*it is invalid\. Tried twice\.$/,
    );
    assert.doesNotMatch(message, /secret|-value/);
  });

  test('cancelled: that is what happened, whatever was thrown', () => {
    assert.ok(asFailure(new UnreachableError('x'), createRedactor(), true) instanceof CancelledFailure);
  });

  test('no secret value in message or stack', () => {
    const redactor = createRedactor();
    redactor.learn('s3cret-value');
    const failure = asFailure(new Error('it was s3cret-value'), redactor, false);
    assert.equal(failure.message, 'it was [redacted]');
    assert.equal(failure.stack?.includes('s3cret'), false);
  });
});

describe('redaction', () => {
  test('plain and base64, the longer value first, short ones left alone', () => {
    const redactor = createRedactor();
    assert.equal(redactor.redact('nothing known'), 'nothing known');
    redactor.learn('abcdef', 'abcdefghi', 'x.*+?', undefined, 'abc');
    assert.equal(redactor.redact('abcdefghi abcdef abc x.*+?'), '[redacted] [redacted] abc x.*+?');
    assert.equal(redactor.redact(`<${Buffer.from('abcdefghi').toString('base64')}>`), '<[redacted]>');
    redactor.learn('(a+b)*c$');
    assert.equal(redactor.redact('(a+b)*c$'), '[redacted]');
  });
});
