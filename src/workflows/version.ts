/** What an operation has made becomes a platform version. */
import type { OperationResult, RunRef } from '../contract/deploy.ts';
import { records } from './activity-proxies.ts';
import { failureOf } from './failure-of.ts';

/**
 * Also of an operation that found nothing to do: the version before may not have been recorded, or none was ever made.
 * A record that cannot be written never turns what succeeded into a failure: the next deployment writes it.
 */
export async function versionOf(
  run: RunRef,
  requestedBy: string,
  result: OperationResult,
): Promise<Partial<OperationResult>> {
  const { operation, outcome, seconds, services, planDigest, toVersion } = result;
  if (outcome !== 'succeeded' && outcome !== 'unchanged') return {};
  try {
    return await records.recordVersion.executeWithOptions({ summary: 'Platform version' }, [
      {
        run,
        operation,
        requestedBy,
        planDigest,
        seconds,
        services,
        ...(toVersion === undefined ? {} : { restores: toVersion }),
      },
    ]);
  } catch (error) {
    return {
      notes: [
        ...(result.notes ?? []),
        `No platform version was recorded (${failureOf(error).message}). The next deployment records what is there, also when it finds nothing to change.`,
      ],
    };
  }
}
