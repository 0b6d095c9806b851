/**
 * What a link leads to. GET changes nothing, since mail and chat programs follow links by themselves. Only the form on
 * the page answers, once, by the same update that the commands send.
 */
import type { DeploymentHandle } from '../../clients/temporal/deployments.ts';
import type { QuestionState } from '../../clients/temporal/questions.ts';
import { UpdateRefusedError, UpdateUnansweredError } from '../../clients/temporal/update.ts';
import { isLockId } from '../../contract/names.ts';
import type { Question, SteerAnswer, SteerRequest } from '../../contract/operations/steering.ts';
import { type AnswerClaims, formProof, isFormProof, readToken } from '../../effects/notify/answer-links.ts';
import { type Answer, answersTo, effectOf, linkAuthor, LOOK, requestOf } from '../../plan/notify/answers.ts';
import { LONGEST_REASON, type Page } from './page.ts';

/** What is asked of the engine. */
export interface Operations {
  question(run: DeploymentHandle, about: Pick<Question, 'service' | 'since'>): Promise<QuestionState>;
  isRunning(run: DeploymentHandle): Promise<boolean>;
  /** @throws UpdateRefusedError, UpdateUnansweredError */
  steer(run: DeploymentHandle, request: SteerRequest): Promise<SteerAnswer>;
}

export interface AnswerParts {
  environment: string;
  operations: Operations;
  /** As it is now. */
  key: () => Promise<string>;
  /** Called with every answer, never with a link. */
  say: (text: string) => void;
  now?: () => number;
}

export interface Reply {
  status: number;
  page: Page;
}

export interface Submitted {
  proof: string;
  reason: string;
}

const problem = (status: number, title: string, ...lines: string[]): Reply => ({ status, page: { title, lines } });

/** @param form absent: somebody looks */
export async function replyTo(parts: AnswerParts, token: string, form?: Submitted): Promise<Reply> {
  const { environment, operations, key: keyOf, now = Date.now } = parts;
  const key = await keyOf();
  const read = readToken(key, token, now());
  if ('wrong' in read)
    return read.wrong === 'expired'
      ? problem(410, 'This link has expired', 'Nobody answered in time, and what the environment says has followed.')
      : problem(
          403,
          'This link is not valid',
          'It was not made here, was changed on its way, or its key was exchanged.',
        );
  const { claims } = read;
  if (claims.e !== environment || !isLockId(claims.w) || !claims.w.startsWith(`deploy/${environment}/`))
    return problem(403, 'This link is not valid', 'It is for another environment.');
  if (claims.a === LOOK) return gateReply(operations, claims, form !== undefined);
  return questionReply(parts, { key, token, claims, answer: claims.a }, form);
}

async function gateReply(
  operations: Operations,
  { e, w, r, g = '', d = '' }: AnswerClaims,
  posted: boolean,
): Promise<Reply> {
  if (posted)
    return problem(405, 'A link opens no gate', 'Who approves has to be known to the cluster: use the command.');
  if (!(await operations.isRunning({ workflowId: w, runId: r })))
    return problem(410, 'The operation has ended', 'There is nothing to approve any more.');
  return {
    status: 200,
    page: {
      title: `An operation on ${e} waits at the gate ${g}`,
      lines: [
        `It waits for approvals of plan ${d}. Who approves has to be known to the cluster, so that is done with the command:`,
      ],
      commands: [
        `npm run ananta -- approvals --env ${e}`,
        `npm run ananta -- approve --env ${e} --digest ${d}`,
        `npm run ananta -- reject --env ${e} --digest ${d} --reason "…"`,
      ],
    },
  };
}

interface Asked {
  key: string;
  token: string;
  claims: AnswerClaims;
  answer: Answer;
}

async function questionReply(parts: AnswerParts, asked: Asked, form: Submitted | undefined): Promise<Reply> {
  const { key, token, claims, answer } = asked;
  const { w: workflowId, r: runId, s: service = '', q: since = '' } = claims;
  const state = await parts.operations.question({ workflowId, runId }, { service, since });
  if (state.state !== 'open') return closedReply(state, service);
  if (form === undefined) return questionPage(asked, state);
  if (!isFormProof(key, token, form.proof))
    return problem(403, 'This was not sent from the page', 'Open the link, and answer there.');
  return answered(parts, claims, answer, form.reason);
}

function questionPage(
  { key, token, claims: { e, t }, answer }: Asked,
  { question: { service, failure, until, then } }: Extract<QuestionState, { state: 'open' }>,
): Reply {
  const asks = { kind: 'question', service, since: '', until, then } as const;
  const label = answersTo(asks).find((offered) => offered.answer === answer)?.label ?? answer;
  return {
    status: 200,
    page: {
      title: `${service} failed on ${e}: ${label}?`,
      lines: [
        `Why it failed: ${failure}`,
        `What this answer does: ${effectOf(answer, service)}`,
        `Without any answer until ${until}: ${then}.`,
        `This link was sent to ${t}; the answer is on record as given by it.`,
      ],
      form: { proof: formProof(key, token), button: label },
    },
  };
}

function closedReply(state: Exclude<QuestionState, { state: 'open' }>, service: string): Reply {
  if (state.state === 'over')
    return problem(410, 'The operation has ended', `Nobody is asked about ${service} any more.`);
  const { by, verb, when } = state;
  return problem(
    410,
    'This question is answered already',
    by === undefined
      ? `Nobody is asked about ${service} any more.`
      : `${verb ?? 'An answer'} by ${by}, at ${when ?? ''}.`,
  );
}

async function answered(parts: AnswerParts, claims: AnswerClaims, answer: Answer, reason: string): Promise<Reply> {
  const { e, w: workflowId, r: runId, t, s: service = '', q: question = '' } = claims;
  const by = linkAuthor(t);
  const why = reason
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, LONGEST_REASON);
  const request = requestOf(answer, {
    service,
    question,
    by,
    reason: why === '' ? 'answered from a notification' : why,
  });
  try {
    const { text } = await parts.operations.steer({ workflowId, runId }, request);
    parts.say(`${service}: ${answer}, by a ${by}`);
    return problem(200, `Answered: ${text}`, `${service} on ${e}. Every link of this question is used up now.`);
  } catch (error) {
    if (error instanceof UpdateRefusedError) return problem(409, 'This answer was not taken', error.message);
    if (error instanceof UpdateUnansweredError)
      return problem(503, 'Nobody has taken the answer yet', `${error.message} Open the link again to see.`);
    throw error;
  }
}
