/** The fewest faults with which a run still goes wrong: one after the other is left out. */
import type { Scenario } from './scenario.ts';

/**
 * @param fails runs it again
 * @param attempts at most so many runs
 * @returns which faults are left, by their numbers in the scenario
 */
export async function shrink(
  scenario: Scenario,
  fails: (smaller: Scenario) => Promise<boolean>,
  attempts: number,
): Promise<number[]> {
  let kept = scenario.faults.map((_, index) => index);
  let left = attempts;
  const tried = async (candidate: number[]): Promise<boolean> => {
    if (left <= 0) return false;
    left -= 1;
    return fails({ ...scenario, faults: candidate.flatMap((index) => scenario.faults[index] ?? []) });
  };
  // Halves are left out first, then single faults.
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = 0; from < kept.length; ) {
      const candidate = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (candidate.length < kept.length && (await tried(candidate))) kept = candidate;
      else from += size;
    }
  return kept;
}
