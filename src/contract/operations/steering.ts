/**
 * What steers a running operation: asked for by a person as an update (or, from the Temporal UI, as a signal),
 * validated by the workflow, recorded in its memo.
 */

/** What follows a failure. */
export const AFTER_FAILURE = ['stop', 'continue', 'rollback'] as const;
export type AfterFailure = (typeof AFTER_FAILURE)[number];

/** Longest extension of a health deadline: a week. */
export const LONGEST_EXTENSION_SECONDS = 7 * 86_400;

/** Who asks, as `user@host`, and why. */
interface Asked {
  by: string;
  reason?: string;
}
/** What answers a question may say which one: `since` of it. Any other one of that service is not answered by it. */
interface Answering {
  question?: string;
}
interface AskedWhy {
  by: string;
  reason: string;
}

export type SteerRequest =
  /** At once, or `at` a service, or a phase by its number: when its turn comes. */
  | (AskedWhy & { verb: 'pause'; at?: string })
  | (Asked & { verb: 'resume' })
  | (Asked & Answering & { verb: 'retry'; service: string })
  | (AskedWhy & Answering & { verb: 'skip'; service: string })
  /** Added to the health deadline of a service; of all that have not ended where none is named. */
  | (Asked & { verb: 'extend'; service?: string; seconds: number })
  /** A service that somebody is asked about stays failed; `then` absent: as the environment says. */
  | (AskedWhy & Answering & { verb: 'abandon'; service: string; then?: AfterFailure });
export type SteerVerb = SteerRequest['verb'];

/** A request that was carried out. Kept in result, version and audit record. */
export type Intervention = SteerRequest & {
  /** ISO 8601, workflow time. */
  when: string;
};

/** What whoever asked is answered, at once. */
export interface SteerAnswer {
  intervention: Intervention;
  /** What follows from it, in one line. */
  text: string;
}

/** A service has failed, and somebody is asked what to do (`onFailure: ask`). */
export interface Question {
  service: string;
  /** Why it failed, in one line. */
  failure: string;
  /** ISO 8601. */
  since: string;
  /** ISO 8601: without an answer until then, `then` follows. */
  until: string;
  then: AfterFailure;
}

export interface Pause {
  by: string;
  reason: string;
  /** ISO 8601. */
  since: string;
  /** The service whose turn had come, where somebody had asked for a pause at it. */
  before?: string;
}

/** How a running operation was steered so far: kept in its memo, readable without a worker. */
export interface Steering {
  paused?: Pause;
  /** Pauses that have not been reached. */
  pauseAt: { at: string; by: string; reason: string }[];
  /** How often each failed service was tried again. */
  retries: Record<string, number>;
  /** In words: by whom, and why. */
  skips: Record<string, string>;
  /** Seconds that were added to health deadlines; `*` counts for all. */
  extensions: Record<string, number>;
  /** Open ones. */
  questions: Record<string, Question>;
  /** What follows the failure of a service that was asked about. */
  decisions: Record<string, AfterFailure>;
  /** What has changed last, in one line. */
  news: string;
  /** In the order in which they came. */
  interventions: Intervention[];
}

/** What a phase has to know of it. */
export interface PhaseSteering {
  /** The one with the highest number counts. */
  number: number;
  paused: boolean;
  /** Services that report their turn to the operation, and start when it allows it. */
  pauseAt: string[];
  /** Why nothing further starts; absent: it does. */
  stop?: string;
  retries: Record<string, number>;
  skips: Record<string, string>;
  extensions: Record<string, number>;
  /**
   * Set when nothing can be started any more: the failure with which the remaining services end. Absent: a failed
   * service may still be retried.
   */
  over?: Record<string, { type: string; message: string }>;
}
