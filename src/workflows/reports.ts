/** What a phase reports to its operation and to the other phases. */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { DependencySettled, PhaseInput, ServiceProgress } from '../contract/operations/deploy.ts';
import { FAILURES } from '../contract/failures.ts';
import { phaseWorkflowId } from '../contract/names.ts';
import { dependencySettled, serviceProgress } from './messages.ts';

export interface Reports {
  /** To the operation; also after a cancellation, since the operation has to know how each service ended. */
  report(event: ServiceProgress): void;
  /**
   * To the phases in which something waits for the service.
   * @returns those that could not be reached: not started yet, or already ended
   */
  tell(settled: DependencySettled): Promise<number[]>;
  /** Resolves when the operation has received all reports. */
  delivered(): Promise<void>;
}

/**
 * Phases with more services collect their reports for two seconds and send them together, so that the history of the
 * operation grows with its duration and not with the number of services. Failures are sent at once.
 */
const SMALL_PHASE = 20;
/** Collected reports are sent after this time. */
const LATEST_SECONDS = 2;

/** @throws ApplicationFailure InvalidInput where the phase has no parent */
export function reportsOf({ run, tells, services }: Pick<PhaseInput, 'run' | 'tells' | 'services'>): Reports {
  const { parent } = workflowInfo();
  if (!parent)
    throw ApplicationFailure.nonRetryable('A phase runs only as the child of a deployment', FAILURES.invalidInput);
  const operation = getExternalWorkflowHandle(parent.workflowId, parent.runId);
  const sending = new Set<Promise<unknown>>();
  const inBatches = services.length > SMALL_PHASE && patched('reports-in-batches');
  const endsInBatches = inBatches && patched('ends-in-batches');
  const isUrgent = ({ outcome, untold, reached }: ServiceProgress): boolean =>
    endsInBatches ? outcome?.failure !== undefined || untold !== undefined || reached === true : outcome !== undefined;
  let held: ServiceProgress[] = [];
  let timed = false;
  const send = (): void => {
    if (held.length === 0) return;
    const events = held;
    held = [];
    const sent = CancellationScope.nonCancellable(() => operation.signal(serviceProgress, ...events)).catch(
      () => undefined,
    );
    sending.add(sent);
    void sent.then(() => sending.delete(sent));
  };
  const sendLater = async (): Promise<void> => {
    timed = true;
    await CancellationScope.nonCancellable(() => sleep(LATEST_SECONDS * 1000));
    timed = false;
    send();
  };
  return {
    report(event) {
      held.push(event);
      if (!inBatches || isUrgent(event)) send();
      else if (!timed) void sendLater();
    },
    async tell(settled) {
      const undelivered = (tells[settled.service] ?? []).map(async (number) => {
        const target = getExternalWorkflowHandle(phaseWorkflowId(run.workflowId, run.runId, number));
        return CancellationScope.nonCancellable(() => target.signal(dependencySettled, settled)).then(
          () => [],
          () => [number],
        );
      });
      return (await Promise.all(undelivered)).flat();
    },
    async delivered() {
      send();
      const all = (): Promise<void> => condition(() => sending.size === 0);
      try {
        await all();
      } catch (error) {
        // A phase that has ended can send no more signals, so those for interrupted services are sent before it ends.
        if (!isCancellation(error) || !patched('ends-are-heard')) throw error;
        await CancellationScope.nonCancellable(all);
      }
    },
  };
}
