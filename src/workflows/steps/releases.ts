/** Steps on one release. */
import { helm, removals, waits } from '../activity-proxies.ts';
import { releaseOf, serviceOf, type StepCall, type StepEnd } from './call.ts';

export function apply(call: StepCall): Promise<StepEnd> {
  return withHelm(call, 'applyRelease');
}

export function rollback(call: StepCall): Promise<StepEnd> {
  return withHelm(call, 'rollbackRelease');
}

async function withHelm(call: StepCall, activity: 'applyRelease' | 'rollbackRelease'): Promise<StepEnd> {
  const { service, helmTimeoutSeconds, note } = serviceOf(call);
  const release = releaseOf(call);
  note('applying', `${release.name}: ${release.reason}`);
  const { changed, putBack = [] } = await helm(helmTimeoutSeconds)[activity].executeWithOptions(
    { summary: `Helm ${release.action} ${release.name}: ${release.reason}` },
    [{ run: call.run, service: service.name, step: release, priority: service.remainingSeconds }],
  );
  return { changed, notes: putBack.map((field) => `put back: ${field}`) };
}

export async function uninstall(call: StepCall): Promise<StepEnd> {
  const { service, helmTimeoutSeconds, note } = serviceOf(call);
  const release = releaseOf(call);
  note('removing', `${release.name}: ${release.reason}`);
  const { removed } = await removals(helmTimeoutSeconds).removeRelease.executeWithOptions(
    { summary: `Uninstall ${release.name}` },
    [{ run: call.run, service: service.name, step: release, priority: service.remainingSeconds }],
  );
  return { changed: removed };
}

/** Given up when the phase has to yield. */
export async function verify(call: StepCall): Promise<StepEnd> {
  const { service, drain, note } = serviceOf(call);
  const release = releaseOf(call);
  note('starting', release.job ? `waits for Job ${release.name}` : `waits for ${release.name} to be healthy`);
  await drain.waiting(() =>
    waits(service.healthTimeoutSeconds).awaitHealthy.executeWithOptions({ summary: `Health of ${release.name}` }, [
      { run: call.run, service: service.name, step: release, timeoutSeconds: service.healthTimeoutSeconds },
    ]),
  );
  return {};
}
