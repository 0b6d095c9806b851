/** What checks that did not pass mean for the operation. Pure, and without Node. */
import type { CheckOutcome } from '../../contract/checks.ts';
import type { ServiceFailure } from '../../contract/operations/deploy.ts';
import { FAILURES } from '../../contract/failures.ts';

/** @returns undefined where all have passed */
export function checksFailure(checks: readonly CheckOutcome[] = []): ServiceFailure | undefined {
  const failed = checks.filter(({ passed }) => !passed);
  if (failed.length === 0) return undefined;
  const lines = failed.map(
    ({ text, evidence }) => `${text}${evidence === undefined ? '' : ` (evidence: ${evidence})`}`,
  );
  const first = failed.find(({ evidence }) => evidence !== undefined)?.evidence;
  return {
    type: FAILURES.checkFailed,
    message: `All services are healthy, but ${failed.length} of ${checks.length} checks ${failed.length === 1 ? 'has' : 'have'} not passed:\n${lines.join('\n')}`,
    ...(first === undefined ? {} : { evidence: first }),
  };
}
