import { DeployError } from '../../src/contract/errors.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApplicationFailure } from '@temporalio/common';
import { boundOf } from '../../src/activities/retry/bounds.ts';
import { createGuard } from '../../src/activities/retry/guard.ts';
import { createStreaks, enough } from '../../src/activities/retry/streaks.ts';
import { HelmError } from '../../src/clients/helm/index.ts';
import { UnreachableError } from '../../src/clients/kubernetes/index.ts';
import { createRedactor } from '../../src/clients/redact.ts';
import { VaultError } from '../../src/clients/vault/index.ts';
import { readConfig } from '../../src/config.ts';
import { FAILURES, NON_RETRYABLE } from '../../src/contract/failures.ts';
import { steadyNow } from '../../src/process/clock.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { testScope } from '../support/scope.ts';

const environment = await loadEnvironment('sandbox', readConfig());
const clients = { redactor: createRedactor(), environment };
const START = Date.parse('2026-01-01T00:00:00Z');

/**
 * The same step, retried as the engine does it: at once, then after pauses of up to 5 s. @returns the error that ended
 * it, and after how long
 */
async function tried(
  answer: (attempt: number) => Error,
  { take = 0, most = 10_000, workerLives = Infinity }: { take?: number; most?: number; workerLives?: number } = {},
): Promise<{ failure: ApplicationFailure; attempts: number; seconds: number }> {
  let now = START;
  const scope = { ...testScope(), wantedAt: START };
  let streaks = createStreaks(() => now);
  let startedAt = now;
  for (let attempt = 1; attempt <= most; attempt += 1) {
    if (now - startedAt >= workerLives * 1000) {
      streaks = createStreaks(() => now);
      startedAt = now;
    }
    const guard = createGuard(clients, () => ({ ...scope, attempt }), { streaks, now: () => now });
    const failure = await guard(() => () => Promise.reject(answer(attempt)))(undefined).then(
      () => assert.fail('it has to fail'),
      (error: unknown) => error as ApplicationFailure,
    );
    if (failure.nonRetryable === true) return { failure, attempts: attempt, seconds: (now - START) / 1000 };
    now += take * 1000 + Math.min(5000, 300 * 2 ** (attempt - 1));
  }
  assert.fail('it is tried without an end');
}

describe('every class that is tried again has an end', () => {
  for (const type of Object.values(FAILURES).filter((each) => !NON_RETRYABLE.includes(each))) {
    test(type, async () => {
      const { failure, attempts, seconds } = await tried(
        (attempt) => new DeployError(type, `not now, ${'x'.repeat(1 + (attempt % 50))}`),
      );
      assert.equal(failure.type, type);
      assert.match(
        failure.message,
        /^not now, x+\. Tried \d+ times since 2026-01-01T00:00:00\.000Z, in vain: this does not pass by itself\. \S/,
      );
      assert.ok(attempts > 10 && seconds <= 43_300, `${attempts} attempts, ${seconds} s`);
    });
  }
});

describe('every class has an end also where workers come and go and remember nothing', () => {
  for (const type of Object.values(FAILURES).filter((each) => !NON_RETRYABLE.includes(each))) {
    test(type, async () => {
      const bound = boundOf(type, 'not now', environment)!.seconds;
      const { failure, seconds } = await tried(() => new DeployError(type, 'not now'), {
        workerLives: 7,
        most: 100_000,
      });
      assert.equal(failure.type, type);
      assert.match(
        failure.message,
        /^not now\. Tried \d+ times since 2026-01-01T00:00:00\.000Z, by workers that came and went: this does not pass by itself\. \S/,
      );
      assert.ok(seconds >= 2 * bound && seconds < 2 * bound + 10, `${seconds} s`);
    });
  }

  test('a worker that was started again once, and a failure that is the first it sees, are no end', () => {
    const scope = { wantedAt: START, attempt: 3 };
    const streak = createStreaks(() => START + 10 * 3600_000).failed('step', 'ReleaseBusy', 'busy');
    const bound = boundOf('ReleaseBusy', 'busy', environment)!;
    assert.equal(enough(bound, streak, scope, START + 10 * 3600_000), undefined);
  });
});

describe('how long', () => {
  const cases: [string, Error, from: number, to: number, RegExp][] = [
    [
      'an API server that is away: an hour',
      new UnreachableError('connect ECONNREFUSED 127.0.0.1:6443'),
      3600,
      3605,
      /retries\.unreachableSeconds/,
    ],
    [
      'credentials that ran out',
      new UnreachableError('GET /version: 401 Unauthorized'),
      600,
      605,
      /credentials of the kubeconfig/,
    ],
    [
      'a certificate that does not fit',
      new UnreachableError('unable to verify: self-signed certificate in certificate chain'),
      600,
      605,
      /authority that is trusted/,
    ],
    [
      'a certificate whose time, by the clock of the worker, is over or has not come',
      new UnreachableError('GET /version: the API server at x cannot be reached: certificate is not yet valid'),
      600,
      605,
      /Correct the clock of the worker, or renew the certificate/,
    ],
    [
      'a webhook that is down',
      new HelmError('WebhookFailed', 'the admission webhook "a.b.c" cannot be called'),
      300,
      305,
      /kubectl get validatingwebhook/,
    ],
    ['somebody else at work', new DeployError('ReleaseBusy', 'busy'), 1800, 1805, /End whoever is at work/],
    ['Vault says no', new VaultError('read x', 403, 'permission denied'), 60, 66, /policy of its role/],
    [
      'a program that gets tokens lacks its variable',
      new Error('exec plugin: AWS_PROFILE is not set'),
      60,
      66,
      /with the same answer/,
    ],
    ['a record that is damaged', new SyntaxError('Unexpected token at position 7'), 60, 66, /with the same answer/],
  ];
  for (const [name, error, from, to, help] of cases) {
    test(name, async () => {
      const { failure, seconds } = await tried(() => error);
      assert.ok(seconds >= from && seconds <= to, `${seconds} s`);
      assert.match(failure.message, help);
    });
  }

  test('answers that differ in ids and times alone are the same; others in between begin anew', async () => {
    const same = await tried((attempt) => new Error(`request ${attempt} at 10:00:${attempt}: no`));
    assert.ok(same.seconds <= 66, `${same.seconds} s`);
    const mixed = await tried((attempt) => (attempt % 5 === 0 ? new UnreachableError('away') : new Error('no')));
    assert.ok(mixed.seconds >= 900, `${mixed.seconds} s`);
  });

  test('one that takes long each time, Helm that is ended after its 300 s, ends as well', async () => {
    const { attempts } = await tried(() => new HelmError('HelmInterrupted', 'helm upgrade was ended after 300 s'), {
      take: 300,
    });
    assert.ok(attempts <= 5, String(attempts));
  });

  test('a single failure is never the end, however long the step was wanted; the last attempt that the engine allows says so', () => {
    const streaks = createStreaks(() => START);
    const bound = boundOf(FAILURES.unreachable, 'x', environment)!;
    const streak = streaks.failed('a', FAILURES.unreachable, 'x');
    assert.equal(enough(bound, streak, { wantedAt: START, attempt: 1 }, START + 3600_000), undefined);
    assert.match(
      enough(bound, streak, { wantedAt: START, attempt: 60, maximumAttempts: 60 }, START) ?? '',
      /^Tried 1 times since/,
    );
    assert.match(
      enough(bound, streak, { wantedAt: START, attempt: 2 }, START + 25 * 3600_000) ?? '',
      /does not pass by itself/,
    );
  });

  test('it is for the environment to say', async () => {
    const unreachable = (seconds: number): number =>
      boundOf(FAILURES.unreachable, 'x', {
        retries: { ...environment.retries, unreachableSeconds: seconds },
      })!.seconds;
    assert.deepEqual([unreachable(60), environment.retries], [60, { unreachableSeconds: 3600, sealedSeconds: 43_200 }]);
    await Promise.resolve();
  });
});

test('a clock that is set while a step is tried again gives it neither less time nor more', async (context) => {
  context.mock.timers.enable({ apis: ['Date'] });
  const streaks = createStreaks();
  const scope = { ...testScope(), wantedAt: steadyNow() };
  const attempt = (number: number): Promise<unknown> =>
    createGuard(clients, () => ({ ...scope, attempt: number }), { streaks })(
      () => () => Promise.reject(new UnreachableError('connect ECONNREFUSED 127.0.0.1:6443')),
    )(undefined).catch((error: unknown) => error);
  const year = 365 * 24 * 3600_000;
  for (const [number, step] of [year, -2 * year, year].entries()) {
    assert.equal(((await attempt(number + 1)) as ApplicationFailure).nonRetryable, false);
    context.mock.timers.setTime(Math.max(0, Date.now() + step));
  }
  assert.equal(((await attempt(4)) as ApplicationFailure).nonRetryable, false);
});

test('an attempt that hangs ends before the engine gives up on it, and says what it was doing', async () => {
  const scope = { ...testScope(), limitMilliseconds: 40 };
  const guard = createGuard(clients, () => scope);
  await assert.rejects(
    guard((scopeOf) => async () => {
      const { heartbeat, signal } = scopeOf();
      heartbeat('asks Vault');
      await sleep(60_000, undefined, { signal });
    })(undefined),
    { type: 'Unexpected', message: /^It did not end within \d+ s; the last that it said of itself: asks Vault/ },
  );
});

test('what may wait as long as somebody wishes is never ended', async () => {
  const scope = { ...testScope(), wantedAt: 0, attempt: 100_000 };
  const failure = await createGuard(clients, () => scope, { bounded: false })(
    () => () => Promise.reject(new UnreachableError('away')),
  )(undefined).catch((error: unknown) => error as ApplicationFailure);
  assert.equal(failure.nonRetryable, false);
});
