/** What an environment may ask to be notified of. */
export const NOTIFY_EVENTS = [
  /** An operation begins: policy, freezes and gates have let it pass. */
  'start',
  /** It waits for approvals of people. */
  'gate',
  /** A service has failed, and somebody is asked what to do. */
  'question',
  /** An operation has failed. */
  'failure',
  /** It has ended, however. */
  'end',
  /** A drift run has found something, or has failed. */
  'drift',
  /** A drift run has repaired something. */
  'repair',
] as const;
export type NotifyEvent = (typeof NOTIFY_EVENTS)[number];
