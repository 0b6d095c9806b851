import type { Operation } from '../../contract/operations/plan.ts';
import type { Environment } from '../../environment/schema.ts';
import { frozenText } from '../../plan/admission/words.ts';
import { freezeAt } from '../../plan/freeze/state.ts';

/**
 * Before an operation starts: what becomes of it. It is decided where the plan is made, since what has nothing to do is
 * held up by no freeze.
 * @returns undefined where no freeze holds it up
 */
export function freezeNotice(
  { name, freeze }: Pick<Environment, 'name' | 'freeze'>,
  operation: Operation,
  override: string | undefined,
  now: number,
): string | undefined {
  if (freeze === undefined || freeze.allow.includes(operation)) return undefined;
  const state = freezeAt(freeze, now);
  if (!state.frozen) return undefined;
  const what =
    override !== undefined
      ? `This is overridden, and on record: ${override}`
      : freeze.onFrozen === 'wait' && operation !== 'repair'
        ? 'What changes something waits for the end of it.'
        : `What changes something is refused, unless --override-freeze REASON is given.`;
  return `${name} ${frozenText(state)}. ${what}`;
}
