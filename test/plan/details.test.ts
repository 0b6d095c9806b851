import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PhaseInput } from '../../src/contract/operations/deploy.ts';
import { deploymentDetails, phaseDetails } from '../../src/plan/details.ts';
import { applyEvent, type DeploymentProgress, emptyProgress } from '../../src/plan/progress.ts';
import { planOf } from '../support/plans.ts';

/** @param states of some of its services */
function viewOf(services: number, states: Record<string, 'applying' | 'failed' | 'healthy'> = {}): DeploymentProgress {
  const graph = Object.fromEntries(
    Array.from({ length: services }, (_, index) => [
      `service-${index}`,
      { phase: 1 + (index % 2), dependsOn: index === 0 ? [] : [`service-${index - 1}`] },
    ]),
  );
  let view = applyEvent(emptyProgress(), { kind: 'plan', plan: planOf(graph), at: 1 });
  for (const [service, state] of Object.entries(states)) {
    const outcome = {
      name: service,
      phase: 1,
      state: state === 'failed' ? ('failed' as const) : ('healthy' as const),
      seconds: 2,
      changed: true,
      ...(state === 'failed' ? { failure: { type: 'Unexpected', message: 'it | broke' } } : {}),
    };
    const event = { service, state, at: 2, ...(state === 'applying' ? {} : { outcome }) };
    view = applyEvent(view, { kind: 'progress', event });
  }
  return view;
}

describe('details of an operation in the Temporal UI', () => {
  test('before there is a plan', () => {
    assert.match(deploymentDetails(emptyProgress()), /^Planning/);
  });

  test('each service has a row, with what it waits for', () => {
    const text = deploymentDetails(viewOf(3, { 'service-0': 'healthy', 'service-1': 'failed' }));
    assert.match(text, /\| 1 Title 1 \| service-0 \| ✔ healthy \| 2\.0 \| {2}\|/);
    assert.match(text, /\| service-1 \| ✘ failed \| 2\.0 \| it \\\| broke \|/);
    assert.match(text, /\| service-2 \| · waiting \| {2}\| waits for service-1 \|/);
  });

  test('many are counted by phase; what failed and what is worked on has rows', () => {
    const states = { 'service-7': 'applying', 'service-8': 'failed', 'service-9': 'healthy' } as const;
    const text = deploymentDetails(viewOf(5000, states));
    assert.match(text, /\| 1 Title 1 \| · 2499 waiting, ✘ 1 failed \|/);
    assert.match(text, /\| 2 Title 2 \| · 2498 waiting, ▸ 1 applying, ✔ 1 healthy \|/);
    const rows = [...text.matchAll(/\| (service-\d+) \|/g)].map(([, name]) => name);
    assert.deepEqual(rows, ['service-8', 'service-7']);
    assert.match(text, /4998 more services/);
    assert.ok(text.length < 2000);
  });

  test('a large phase shows its first services, and how many have ended', () => {
    const { plan } = viewOf(300);
    const input = { phase: 1, title: 'One', services: plan?.services ?? [], run: { environment: 'test' } };
    const text = phaseDetails(input as unknown as PhaseInput, new Map(), { service: 'service-0', state: 'applying' });
    assert.equal(text.match(/\| service-/g)?.length, 100);
    assert.match(text, /200 more services; 0 of 300 have ended/);
  });
});
