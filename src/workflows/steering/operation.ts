/**
 * How a running operation is steered: requests are validated, carried out and recorded here, and passed on to the
 * phases. The decisions are pure functions of src/plan/steering.
 */
import { ApplicationFailure, condition, patched, setHandler, upsertMemo } from '@temporalio/workflow';
import type { RunRef, ServiceProgress } from '../../contract/operations/deploy.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { Asks } from '../../contract/notifications.ts';
import type { Operation, OperationPlan } from '../../contract/operations/plan.ts';
import type { PhaseSteering, Question, Steering, SteerAnswer } from '../../contract/operations/steering.ts';
import type { DeploymentProgress } from '../../plan/progress.ts';
import { phaseSteering } from '../../plan/steering/phase.ts';
import { refusalOf } from '../../plan/steering/refusal.ts';
import { parseRequest } from '../../plan/steering/request.ts';
import { isAtRest } from '../../plan/steering/rest.ts';
import { ask, emptySteering, fitted, intervene, reached, turnedDown, unanswered } from '../../plan/steering/state.ts';
import { dueServices, targetOf } from '../../plan/steering/targets.ts';
import { answerText, questionText } from '../../plan/steering/words.ts';
import { steer, steerSignal } from '../messages.ts';
import { sendNotification } from '../notifications/send.ts';
import type { RunningPhases } from '../phases.ts';

/** The memo is rewritten with each request, so it holds only the newest ones; the result holds all. */
const REMEMBERED = 50;
const LONGEST_FAILURE = 300;

export interface OperationSteering {
  /** Requests are taken from now on, those that came before it included. */
  listen(): void;
  /** With what phases start; undefined in a run of an earlier version, whose phases cannot be steered. */
  forPhases(): PhaseSteering | undefined;
  /** Called after every change of the view. */
  look(): void;
  /**
   * Checks the requests that came before the plan against it.
   * @returns a line for each that does not fit
   */
  planned(plan: OperationPlan): string[];
  progress(event: ServiceProgress): void;
  /** Ends as soon as it is not paused; undefined where it is not. */
  safePoint(): Promise<void> | undefined;
  /** True while it is paused or waits for an answer. Undefined in a run of an earlier version. */
  standsStill: (() => boolean) | undefined;
  /** Its services that have not said how they ended, because somebody has terminated it, count as cancelled. */
  phaseEnded(number: number): void;
  /** All services have ended. */
  end(): void;
}

export interface SteeringOptions {
  operation: Operation;
  run: RunRef;
  phases: RunningPhases;
  view: () => DeploymentProgress;
  /** The new state becomes part of the view. */
  onChange: (steering: Steering) => void;
  /** Called for a service of which no further report will come. */
  onUnheard: (service: string) => void;
}

export function operationSteering({
  operation,
  run,
  phases,
  view,
  onChange,
  onUnheard,
}: SteeringOptions): OperationSteering {
  const isSteered = patched('steering');
  let ended = false;
  let lastSent: PhaseSteering = { number: 0, ...phaseSteering(view(), false) };
  const state = (): Steering => view().steering ?? emptySteering();

  const set = (steering: Steering): void => {
    upsertMemo({ steering: { ...steering, interventions: steering.interventions.slice(-REMEMBERED) } });
    onChange(steering);
  };
  const look = (): void => {
    if (!isSteered) return;
    ended ||= isAtRest(view());
    const next = phaseSteering(view(), ended);
    if (JSON.stringify({ ...lastSent, number: 0 }) === JSON.stringify({ number: 0, ...next })) return;
    lastSent = { number: lastSent.number + 1, ...next };
    phases.steer(lastSent);
  };

  const wrongWith = (input: unknown): string | undefined => {
    if (!isSteered)
      return 'It was started by an earlier version of the deployer, and cannot be steered: cancel it, or wait for its end.';
    const parsed = parseRequest(input);
    return 'wrong' in parsed ? parsed.wrong : refusalOf({ operation, view: view(), over: ended }, parsed.request);
  };
  const carryOut = (input: unknown): SteerAnswer => {
    const parsed = parseRequest(input);
    if ('wrong' in parsed) throw ApplicationFailure.nonRetryable(parsed.wrong, FAILURES.steeringRefused);
    const when = now();
    const { request } = parsed;
    set(intervene(state(), request, when));
    return { intervention: { ...request, when }, text: answerText(request, view()) };
  };
  /** The environment's own answer, where nobody gives one in time. */
  const awaitAnswer = async (question: Question): Promise<void> => {
    const isOpen = (): boolean => state().questions[question.service]?.since === question.since;
    const milliseconds = Date.parse(question.until) - Date.parse(question.since);
    const answered = await condition(() => ended || !isOpen(), milliseconds);
    if (!answered && isOpen()) set(unanswered(state(), question, now()));
  };
  const tellOf = async (question: Question): Promise<void> => {
    await sendNotification(
      view().plan?.notifications,
      {
        run,
        event: 'question',
        title: `${question.service} failed on ${run.environment}: what shall be done?`,
        lines: [questionText(question)],
        asks: questionAsks(question),
      },
      `Ask what to do about ${question.service}`,
    );
  };
  const askAbout = (service: string, failure: string, { seconds, then }: NonNullable<OperationPlan['ask']>): void => {
    const since = now();
    const until = new Date(Date.now() + seconds * 1000).toISOString();
    const question = { service, failure: failure.slice(0, LONGEST_FAILURE), since, until, then };
    set(ask(state(), question));
    // Neither a cancellation nor a notification that fails changes anything about the question.
    void tellOf(question).catch(() => undefined);
    void awaitAnswer(question).catch(() => undefined);
  };

  return {
    listen() {
      setHandler(steer, carryOut, {
        validator: (input) => {
          const wrong = wrongWith(input);
          if (wrong !== undefined) throw ApplicationFailure.nonRetryable(wrong, FAILURES.steeringRefused);
        },
        description: 'pause, resume, retry, skip, extend, abandon: docs/look-up/steering.md says what to send',
      });
      setHandler(
        steerSignal,
        (input) => {
          const wrong = wrongWith(input);
          if (wrong === undefined) carryOut(input);
          else if (isSteered) set(turnedDown(state(), wrong));
        },
        { description: 'the same as the update steer, without an answer' },
      );
    },
    forPhases: () => (isSteered ? lastSent : undefined),
    look,
    planned(plan) {
      if (!isSteered) return [];
      const { steering, lost } = fitted(state(), plan);
      if (lost.length > 0) set(steering);
      return lost;
    },
    progress({ service, state: reported, outcome, reached: atPause }) {
      const { plan, services } = view();
      if (!isSteered || plan === undefined) return;
      // One that has just begun when the pause was asked for pauses it all the same.
      if (atPause || (reported !== 'waiting' && state().pauseAt.some(({ at }) => targetOf(plan, at).includes(service))))
        set(reached(state(), plan, service, now()));
      const { questions, decisions, skips } = state();
      const known = [questions, decisions, skips].some((by) => by[service] !== undefined);
      if (reported === 'failed' && services[service]?.state === 'failed' && plan.ask !== undefined && !known)
        askAbout(service, outcome?.failure?.message ?? 'it failed', plan.ask);
    },
    safePoint: () =>
      isSteered && state().paused !== undefined ? condition(() => state().paused === undefined) : undefined,
    standsStill: isSteered
      ? () => state().paused !== undefined || Object.keys(state().questions).length > 0
      : undefined,
    phaseEnded(number) {
      if (isSteered) for (const service of unheardOf(view(), number)) onUnheard(service);
    },
    end() {
      ended = true;
    },
  };
}

function questionAsks({ service, since, until, then }: Question): Asks {
  return { kind: 'question', service, since, until, then };
}

/** Services of a phase that has ended without saying how they did: somebody has terminated it. */
function unheardOf(view: DeploymentProgress, phase: number): string[] {
  const due = view.plan === undefined ? [] : dueServices(view.plan);
  return (view.plan?.services ?? [])
    .filter(({ name, phase: own }) => own === phase && due.includes(name) && view.services[name]?.outcome === undefined)
    .map(({ name }) => name);
}

function now(): string {
  return new Date(Date.now()).toISOString();
}
