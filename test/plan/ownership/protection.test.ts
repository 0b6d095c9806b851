import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DriftMode } from '../../../src/contract/drift.ts';
import type { Operation } from '../../../src/contract/operations/plan.ts';
import { requirePermitted } from '../../../src/plan/ownership/protection.ts';

type Confirmed = { environment?: string; operation?: Operation; requestedBy?: string } | undefined;

describe('a protected environment', () => {
  const good = {};
  const cases: [string, Operation | undefined, Confirmed, DriftMode, RegExp | undefined][] = [
    ['a deployment that was confirmed', 'deploy', good, 'report', undefined],
    ['a rollback that was confirmed', 'rollback', good, 'report', undefined],
    ['a deployment without a word', 'deploy', undefined, 'report', /deploy was started without its confirmation/],
    ['a rollback without a word', 'rollback', undefined, 'repair', /rollback was started without its confirmation/],
    ['an adoption that was confirmed', 'adopt', good, 'report', undefined],
    ['an adoption without a word', 'adopt', undefined, 'repair', /adopt was started without its confirmation/],
    ['the word for another environment', 'deploy', { environment: 'staging' }, 'report', /given for something else/],
    ['the word for another operation', 'rollback', { operation: 'deploy' }, 'report', /given for something else/],
    ['the word of somebody else', 'deploy', { requestedBy: 'you@there' }, 'report', /given for something else/],
    [
      'a destruction, confirmed or not',
      'destroy',
      good,
      'repair',
      /is not taken down.*rebind --env prod --lift-protection/,
    ],
    ['a repair that its file asks for', 'repair', undefined, 'repair', undefined],
    ['a repair that its file does not ask for', 'repair', undefined, 'report', /repair was started without/],
    ['such a repair that was confirmed', 'repair', good, 'off', undefined],
    ['a step that does not say what it belongs to', undefined, good, 'repair', /does not say what it is/],
  ];
  for (const [rotates, refusal] of [
    [true, undefined],
    [false, /rotate was started without its confirmation/],
  ] as const)
    test(`a rotation that its file ${rotates ? 'asks' : 'does not ask'} for`, () => {
      const run = { environment: 'prod', requestedBy: 'the rotation schedule' };
      const ask = (): void => requirePermitted({ run, operation: 'rotate', driftMode: 'report', rotates });
      if (refusal) assert.throws(ask, { name: 'NotConfirmedError', message: refusal });
      else assert.doesNotThrow(ask);
    });
  for (const [name, operation, confirmed, driftMode, refusal] of cases) {
    test(name, () => {
      const requestedBy = 'me@here';
      const confirmation = confirmed && {
        environment: 'prod',
        operation: operation ?? 'deploy',
        requestedBy,
        ...confirmed,
      };
      const run = { environment: 'prod', requestedBy, ...(confirmation ? { confirmation } : {}) };
      const ask = (): void => requirePermitted({ run, operation, driftMode });
      if (refusal) assert.throws(ask, { name: 'NotConfirmedError', message: refusal });
      else assert.doesNotThrow(ask);
    });
  }
});
