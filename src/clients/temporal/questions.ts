/** Whether a question of a running operation is still open, as its memo says. Needs no worker. */
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import type { Question } from '../../contract/operations/steering.ts';
import type { DeploymentHandle } from './deployments.ts';
import { describe } from './lock.ts';
import { questionsSchema } from './questions-schema.ts';

const memoSchema = z.object({
  steering: z.object({
    questions: questionsSchema,
    interventions: z.array(
      z.looseObject({ verb: z.string(), by: z.string(), service: z.string().optional(), when: z.string() }),
    ),
  }),
});

export type QuestionState =
  | { state: 'open'; question: Question }
  /** By whom, and how, as far as the memo still knows. */
  | { state: 'answered'; by?: string; verb?: string; when?: string }
  /** The operation has ended. */
  | { state: 'over' };

/** @param since when it was asked: another question of the same service is another question */
export async function questionState(
  client: Client,
  { workflowId, runId }: DeploymentHandle,
  { service, since }: Pick<Question, 'service' | 'since'>,
): Promise<QuestionState> {
  const found = await describe(client, workflowId, runId);
  if (found?.status.name !== 'RUNNING') return { state: 'over' };
  const memo = memoSchema.safeParse(found.memo);
  if (!memo.success) return { state: 'answered' };
  const { questions, interventions } = memo.data.steering;
  const open = questions[service];
  if (open?.since === since) return { state: 'open', question: open };
  const answer = interventions.find((one) => one.service === service && one.when >= since);
  return answer === undefined
    ? { state: 'answered' }
    : { state: 'answered', by: answer.by, verb: answer.verb, when: answer.when };
}
