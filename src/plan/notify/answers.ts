/** Which answers a link can give to what a notification asks, and what each would do. Pure, and without Node. */
import type { Asks } from '../../contract/notifications.ts';
import type { AfterFailure, SteerRequest } from '../../contract/operations/steering.ts';

export const ANSWERS = ['retry', 'skip', 'abandon-stop', 'abandon-continue', 'abandon-rollback'] as const;
export type Answer = (typeof ANSWERS)[number];

/** An approval has to be attested by the cluster: its link shows what to run, and decides nothing. */
export const LOOK = 'look';

interface Offered {
  answer: Answer | typeof LOOK;
  /** A few words, for a button. */
  label: string;
}

export function answersTo(asks: Asks): Offered[] {
  if (asks.kind === 'gate') return [{ answer: LOOK, label: 'How to approve or reject it' }];
  const { service } = asks;
  return [
    { answer: 'retry', label: `Try ${service} again` },
    { answer: 'skip', label: `Skip ${service}` },
    { answer: 'abandon-stop', label: 'Give it up and stop' },
    { answer: 'abandon-continue', label: 'Give it up and go on' },
    { answer: 'abandon-rollback', label: 'Give it up and roll back' },
  ];
}

const EFFECTS: Record<Answer, (service: string) => string> = {
  retry: (service) =>
    `${service} is applied and waited for again, with a deadline of its own. What depends on it waits for it.`,
  skip: (service) =>
    `${service} is left out, and is no failure of the operation any more. What depends on it is left out with it, unless the catalog says that it can do without.`,
  'abandon-stop': (service) => `${service} stays failed. Nothing further starts, what is at work goes on to its end.`,
  'abandon-continue': (service) =>
    `${service} stays failed. What does not depend on it goes on; the operation ends as failed.`,
  'abandon-rollback': (service) => `${service} stays failed. What this run has changed is taken back.`,
};

/** What would follow, in words for whoever is about to answer. */
export function effectOf(answer: Answer, service: string): string {
  return EFFECTS[answer](service);
}

/** The same request as the commands make. @param question `since` of the question */
export function requestOf(
  answer: Answer,
  { service, question, by, reason }: { service: string; question: string; by: string; reason: string },
): SteerRequest {
  const asked = { service, question, by, reason };
  if (answer === 'retry' || answer === 'skip') return { verb: answer, ...asked };
  return { verb: 'abandon', ...asked, then: answer.slice('abandon-'.length) as AfterFailure };
}

/** On record: nobody knows who had the link, but to whom it went. */
export function linkAuthor(target: string): string {
  return `signed link (notification to ${target})`;
}
