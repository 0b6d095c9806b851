/** Notifications: from a workflow, over the activities that deliver them, to the list of those that did not arrive. */
import { z } from 'zod';
import { NOTIFY_EVENTS, type NotifyEvent } from './notify-events.ts';
import { AFTER_FAILURE } from './operations/steering.ts';
import type { RunRef } from './operations/deploy.ts';

/** What a notification asks people; those who get links answer by them. */
export const asksSchema = z.union([
  z.object({
    kind: z.literal('question'),
    service: z.string(),
    /** When it was asked, ISO 8601: which question of that service it is. */
    since: z.string(),
    /** ISO 8601. */
    until: z.string(),
    then: z.enum(AFTER_FAILURE),
  }),
  z.object({ kind: z.literal('gate'), gate: z.string(), digest: z.string(), until: z.string() }),
]);
export type Asks = z.infer<typeof asksSchema>;

/** `test`: somebody tries whether it arrives. */
export type ToldEvent = NotifyEvent | 'test';

/** What is sent, without secrets. Kept as it is where it could not be delivered. */
export const notificationSchema = z.object({
  /** The same however often it is sent: a receiver recognises what it has got already. */
  id: z.string(),
  event: z.enum([...NOTIFY_EVENTS, 'test']),
  environment: z.string(),
  /** What is done, where it is an operation's. */
  operation: z.string().optional(),
  /** One line. */
  title: z.string(),
  lines: z.array(z.string()),
  workflowId: z.string(),
  runId: z.string(),
  /** Of the run in the Temporal UI, where one is known. */
  url: z.string().optional(),
  /** ISO 8601. */
  at: z.string(),
  asks: asksSchema.optional(),
});
export type Notification = z.infer<typeof notificationSchema>;

/** A link with which a question is answered. Made for one target when it is delivered, and stored nowhere. */
export interface AnswerLink {
  /** `retry`, `skip`, `abandon-stop` …; `look` where a link alone decides nothing. */
  answer: string;
  /** A few words. */
  label: string;
  url: string;
}

/** As one target gets it. */
export type ToldNotification = Omit<Notification, 'asks'> & { answers?: AnswerLink[] };

/** What could not be delivered to one target. */
export const deadLetterSchema = z.looseObject({
  /** Short, for people to type. */
  id: z.string(),
  environment: z.string(),
  target: z.string(),
  /** When it was given up last, ISO 8601. */
  at: z.string(),
  /** How often it was tried in all. */
  attempts: z.number().int(),
  /** What came back last: one line, no secrets. */
  error: z.string(),
  notification: notificationSchema,
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** With what a notification is started; it goes on by itself. */
export interface NotificationInput {
  run: RunRef;
  event: ToldEvent;
  title: string;
  lines: string[];
  asks?: Asks;
  /** What it is about: sent only when this differs from what was sent last. Absent: sent in any case. */
  about?: string[];
  /** These alone; absent: all that want the event. */
  targets?: string[];
  /** One attempt at each, and nothing is kept: somebody waits for what comes back. */
  once?: true;
  /** What could not be delivered before: sent again as it was, and removed when that succeeds. */
  letter?: DeadLetter;
}

/** How the delivery to one target went. */
export interface Delivery {
  target: string;
  delivered: boolean;
  attempts: number;
  /** What came back: one line, no secrets. */
  text: string;
  /** Id in the list of what could not be delivered. */
  letter?: string;
}

export interface NotificationResult {
  id: string;
  deliveries: Delivery[];
}

/** Of one attempt. */
export interface DeliveryAnswer {
  delivered: boolean;
  text: string;
  /** Trying again changes nothing before somebody has changed something. */
  permanent?: true;
  /** As the receiver asks for. */
  retryAfterSeconds?: number;
}
