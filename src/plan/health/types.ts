/** Health of one object: what it says of itself, counted only if it is about the object's newest generation. */
import { z } from 'zod';

export interface Health {
  /** `failed` is final: waiting longer changes nothing. */
  status: 'healthy' | 'progressing' | 'failed';
  /** One line for people: `1/3 replicas available`. */
  message: string;
}

export const metadata = z.object({
  name: z.string(),
  generation: z.number().default(0),
  deletionTimestamp: z.string().nullish(),
});

export const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().default(''),
  message: z.string().default(''),
});
export type Condition = z.infer<typeof condition>;
export const conditions = z
  .array(condition)
  .nullish()
  .transform((list) => list ?? []);

export function trueCondition(list: readonly Condition[], type: string): Condition | undefined {
  return list.find((candidate) => candidate.type === type && candidate.status === 'True');
}

export function healthy(message: string): Health {
  return { status: 'healthy', message };
}
export function progressing(message: string): Health {
  return { status: 'progressing', message };
}
export function failed(message: string): Health {
  return { status: 'failed', message };
}

/** A status that was written before the newest change of the specification says nothing. */
export function unobserved(generation: number, observed: number | undefined): Health | undefined {
  return (observed ?? 0) < generation ? progressing('the newest change has not been picked up yet') : undefined;
}
