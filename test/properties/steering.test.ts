/**
 * Whatever is asked of a running operation, in whatever order: what is recorded of its steering does not contradict
 * itself.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ServiceState } from '../../src/contract/operations/deploy.ts';
import type { Question, SteerRequest } from '../../src/contract/operations/steering.ts';
import { applyEvent, type DeploymentProgress, emptyProgress } from '../../src/plan/progress.ts';
import { refusalOf } from '../../src/plan/steering/refusal.ts';
import { ask, emptySteering, extensionOf, intervene, reached, unanswered } from '../../src/plan/steering/state.ts';
import { planOf } from '../support/plans.ts';
import './arbitrary.ts';

const SERVICES = ['db', 'api', 'web', 'same', 'nobody'];
const plan = planOf({
  db: { phase: 1 },
  api: { phase: 2, dependsOn: ['db'] },
  web: { phase: 3, dependsOn: ['api'] },
  same: { phase: 3, action: 'unchanged' },
});
const WHEN = '2026-01-01T10:00:00.000Z';
const LATER = '2026-01-01T12:00:00.000Z';
const asked = { by: 'ops@host', reason: 'because' };
const service = fc.constantFrom(...SERVICES);
const states = fc.constantFrom<ServiceState>('waiting', 'applying', 'starting', 'failed', 'healthy');

type Event =
  | { kind: 'request'; request: SteerRequest }
  | { kind: 'question'; service: string }
  | { kind: 'silence'; service: string }
  | { kind: 'turn'; service: string };
const requests: fc.Arbitrary<SteerRequest> = fc.oneof(
  fc.record({ verb: fc.constant('pause' as const), by: fc.constant(asked.by), reason: fc.constant(asked.reason) }),
  fc.constantFrom('db', '2', '9', 'web').map((at) => ({ verb: 'pause' as const, at, ...asked })),
  fc.constant({ verb: 'resume' as const, ...asked }),
  service.map((name) => ({ verb: 'retry' as const, service: name, ...asked })),
  service.map((name) => ({ verb: 'skip' as const, service: name, ...asked })),
  fc
    .tuple(service, fc.nat(900))
    .map(([name, seconds]) => ({ verb: 'extend' as const, service: name, seconds, ...asked })),
  fc.nat(900).map((seconds) => ({ verb: 'extend' as const, seconds, ...asked })),
  service.map((name) => ({ verb: 'abandon' as const, service: name, ...asked })),
);
const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: requests.map((request) => ({ kind: 'request' as const, request })) },
  service.map((name) => ({ kind: 'question' as const, service: name })),
  service.map((name) => ({ kind: 'silence' as const, service: name })),
  service.map((name) => ({ kind: 'turn' as const, service: name })),
);
const question = (name: string): Question => ({ service: name, failure: 'x', since: WHEN, until: LATER, then: 'stop' });

function viewOf(found: Readonly<Record<string, ServiceState>>): DeploymentProgress {
  let view = applyEvent(emptyProgress(), { kind: 'plan', plan, at: 0 });
  for (const [name, state] of Object.entries(found))
    view = applyEvent(view, { kind: 'progress', event: { service: name, state, at: 1 } });
  return view;
}

test('what is carried out is on record, what is answered is closed, and the rest is refused in words', () => {
  fc.assert(
    fc.property(
      fc.record({ db: states, api: states, web: states }),
      fc.array(events, { maxLength: 25 }),
      fc.boolean(),
      (found, all, over) => {
        const view = viewOf(found);
        let steering = emptySteering();
        let carriedOut = 0;
        for (const event of all) {
          const before = steering;
          if (event.kind === 'request') {
            const { request } = event;
            const refused = refusalOf({ operation: 'deploy', view: { ...view, steering }, over }, request);
            assert.ok(
              refused === undefined || (refused.length > 10 && !/undefined|null|\[object/.test(refused)),
              refused,
            );
            if (refused !== undefined) continue;
            steering = intervene(steering, request, WHEN);
            carriedOut += 1;
            // The same request a second time is mostly refused, since what it asks for is so already.
            if (request.verb === 'pause' || request.verb === 'skip' || request.verb === 'abandon')
              assert.ok(refusalOf({ operation: 'deploy', view: { ...view, steering }, over }, request));
          } else if (event.kind === 'question') steering = ask(steering, question(event.service));
          else if (event.kind === 'silence') {
            const open = steering.questions[event.service];
            if (open === undefined) continue;
            steering = unanswered(steering, open, LATER);
            carriedOut += 1;
            assert.equal(steering.questions[event.service], undefined);
          } else {
            steering = reached(steering, plan, event.service, WHEN);
            assert.ok(steering.pauseAt.length <= before.pauseAt.length);
            assert.ok(steering.pauseAt.length === before.pauseAt.length || steering.paused);
          }
          assert.equal(steering.interventions.length, carriedOut);
          for (const name of SERVICES) assert.ok(extensionOf(steering, name) >= extensionOf(before, name));
        }
      },
    ),
  );
});
