import type { Clients } from '../clients/index.ts';
import type { Activities } from '../contract/activities.ts';
import { assertEnvironment } from './context.ts';
import { writeEvidence } from './evidence/index.ts';
import { withHeartbeat, type ScopeOf } from './scope.ts';

/** Events, conditions and logs of everything that belongs to a failed service. */
export function collectEvidence(clients: Clients, scopeOf: ScopeOf): Activities['collectEvidence'] {
  return async ({ run, service, reason, before }) => {
    const scope = scopeOf();
    assertEnvironment(clients, run);
    const releases = service.steps
      .filter((step) => step.kind === 'release')
      .map(({ name, namespace }) => ({ name, namespace }));
    return withHeartbeat(
      scope,
      () => 'collects events, conditions and logs',
      () =>
        writeEvidence(
          clients,
          { runId: run.runId, title: before ? `${service.name}-before` : service.name, releases, reason },
          scope.signal,
        ),
    );
  };
}
