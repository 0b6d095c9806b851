/** Volumes that grow: their claims first, with everything as it runs; then the StatefulSet goes without its pods. */
import { claimWords, setWords } from '../../plan/growing/words.ts';
import { volumes } from '../activity-proxies.ts';
import { misplaced, releaseOf, serviceOf, type StepCall, type StepEnd } from './call.ts';

/** A volume of the slower storages takes minutes. */
const LEAST_SECONDS = 900;
const REPLACE_SECONDS = 180;

export async function expandVolumes(call: StepCall): Promise<StepEnd> {
  const { run, step } = call;
  const { claims } = step;
  if (claims === undefined) return misplaced(step);
  const { service, drain, note } = serviceOf(call);
  const release = releaseOf(call);
  note('applying', `${release.name}: ${claims.map(claimWords).join(', ')}`);
  const timeoutSeconds = Math.max(LEAST_SECONDS, service.healthTimeoutSeconds);
  const { changed, notes } = await drain.waiting(() =>
    volumes(timeoutSeconds).expandClaims.executeWithOptions({ summary: `Grow volumes of ${release.name}` }, [
      { run, service: service.name, step: release, claims, timeoutSeconds },
    ]),
  );
  return { changed, notes };
}

export async function replaceSets(call: StepCall): Promise<StepEnd> {
  const { run, step } = call;
  const { sets } = step;
  if (sets === undefined) return misplaced(step);
  const { service, note } = serviceOf(call);
  const release = releaseOf(call);
  note('applying', `${release.name}: replaces ${setWords({ sets })} without its pods`);
  const { replaced } = await volumes(REPLACE_SECONDS).replaceStatefulSets.executeWithOptions(
    { summary: `Replace ${setWords({ sets })}, its pods go on` },
    [{ run, service: service.name, step: release, sets }],
  );
  return { changed: replaced.length > 0 };
}
