/** Carries out the operation's own steps, each as soon as what it waits for has ended. */
import type { OperationStep } from '../../contract/operations/steps.ts';
import { isLeftOut } from '../../plan/progress.ts';
import { waitsOf } from '../../plan/steps/order.ts';
import type { OperationView, StepCall, StepEnd } from './call.ts';
import { carryOut } from './table.ts';

export interface RunSteps {
  run: StepCall['run'];
  admission?: StepCall['admission'];
  /** As it is when a step begins. */
  operation: () => OperationView;
  /** How a step that is not among these has ended: false where it has not ended well. */
  endedWell: (id: string) => boolean;
  /** Called in the order in which steps end. */
  onEnd: (end: StepEnd) => void;
  /** Ends as soon as it may go on; undefined where it may. */
  safePoint: () => Promise<void> | undefined;
  /** Whether what was changed is taken back after a failure. */
  undoes: () => boolean;
}

/**
 * Steps that fail keep those that depend on them from being carried out, no others.
 * @throws what the first of them has failed with, once all have ended
 */
export async function runSteps(steps: readonly OperationStep[], options: RunSteps): Promise<void> {
  const running = new Map<string, Promise<boolean>>();
  const one = async (step: OperationStep): Promise<boolean> => {
    await Promise.allSettled(waitsOf(step).flatMap((id) => running.get(id) ?? []));
    const well = await Promise.all(
      step.dependsOn.map(async (id) => (await running.get(id)?.catch(() => false)) ?? options.endedWell(id)),
    );
    if (well.includes(false)) return false;
    if (step.onFailure && !hasFailed(options.operation())) return true;
    if (step.kind === 'undo' && !options.undoes()) return true;
    if (
      step.kind === 'check' &&
      options.operation().services.some((end) => end.name === step.service && isLeftOut(end))
    )
      return true;
    const held = options.safePoint();
    if (held) await held;
    const { run, admission, operation, onEnd } = options;
    onEnd(await carryOut({ run, step, operation: operation(), ...(admission ? { admission } : {}) }));
    return true;
  };
  for (const step of steps) running.set(step.id, one(step));
  const ends = await Promise.allSettled(running.values());
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

function hasFailed({ services, checks = [] }: OperationView): boolean {
  return services.some(({ state }) => state === 'failed') || checks.some(({ passed }) => !passed);
}
