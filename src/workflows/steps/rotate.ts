/** Steps of a rotation: acts on one secret, and restarts of who reads it. */
import type { RotationAct } from '../../contract/operations/secret-name.ts';
import { rotation } from '../activity-proxies.ts';
import { type CarryOut, misplaced, releaseOf, serviceOf, type StepCall, type StepEnd } from './call.ts';

const SUMMARIES: Record<RotationAct, string> = {
  add: 'Next value of',
  write: 'Vault and Secrets hold the next value of',
  verify: 'Every reader has the new value of',
  revoke: 'Revoke the former value of',
};

export function rotate(act: RotationAct): CarryOut {
  return async (call) => {
    const { run, step } = call;
    const { secret } = step;
    if (secret === undefined) return misplaced(step);
    const summary = `${SUMMARIES[act]} ${secret.path} ${secret.key}`;
    const { changed, notes } = await rotation.rotateSecret.executeWithOptions({ summary }, [{ run, act, secret }]);
    return { changed, notes, ...(act === 'revoke' ? { result: { outcome: 'succeeded' as const } } : {}) };
  };
}

export async function restart(call: StepCall): Promise<StepEnd> {
  const { service, note } = serviceOf(call);
  const release = releaseOf(call);
  note('applying', `${release.name}: ${release.reason}`);
  const { changed } = await rotation.restartRelease.executeWithOptions({ summary: `Restart ${release.name}` }, [
    { run: call.run, service: service.name, step: release },
  ]);
  return { changed };
}
