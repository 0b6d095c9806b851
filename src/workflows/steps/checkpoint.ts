import { checkpoints } from '../activity-proxies.ts';
import { misplaced, serviceOf, type StepCall, type StepEnd } from './call.ts';

/** One that fails keeps the migration from running: it is a step of its service like any other. */
export async function takeCheckpoint(call: StepCall): Promise<StepEnd> {
  const { run, step } = call;
  const { checkpoint } = step;
  if (checkpoint === undefined) return misplaced(step);
  const { database, before } = checkpoint;
  serviceOf(call).note('applying', `keeps the database ${database} first: ${before.join(', ')} cannot be taken back`);
  const { file, left, snapshots } = await checkpoints.takeCheckpoint.executeWithOptions(
    { summary: `Dump of ${database}` },
    [{ run, database, before }],
  );
  return {
    notes: [
      file === undefined && snapshots === undefined
        ? `No checkpoint of ${database} was taken before ${before.join(', ')}: its pods are simulated, and nothing is in them.`
        : `The database ${database} as it was before ${before.join(', ')}: ${file ?? `VolumeSnapshot ${snapshots?.join(', ') ?? ''}`}`,
      ...(left === undefined ? [] : [left]),
    ],
  };
}
