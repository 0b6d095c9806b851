/** What operations are called in the texts for people. */
import type { OperationResult } from '../../contract/operations/deploy.ts';
import type { Operation } from '../../contract/operations/plan.ts';

interface Words {
  /** `a deployment` */
  one: string;
  /** `The deployment` */
  the: string;
  /** `Deployed to staging`, without the environment's name. */
  done: string;
  unchanged: string;
}

export const OPERATION_WORDS: Record<Operation, Words> = {
  deploy: { one: 'a deployment', the: 'The deployment', done: 'Deployed to', unchanged: 'Nothing to change in' },
  rollback: { one: 'a rollback', the: 'The rollback', done: 'Rolled back', unchanged: 'Nothing to roll back in' },
  repair: {
    one: 'a drift repair',
    the: 'The drift repair',
    done: 'Repaired drift in',
    unchanged: 'Nothing to repair in',
  },
  adopt: { one: 'an adoption', the: 'The adoption', done: 'Taken over in', unchanged: 'Nothing to take over in' },
  rotate: {
    one: 'a rotation of secrets',
    the: 'The rotation of secrets',
    done: 'Rotated secrets of',
    unchanged: 'No secret to rotate in',
  },
  destroy: { one: 'a destruction', the: 'The destruction', done: 'Took down', unchanged: 'Nothing to take down in' },
};

const GIVEN_BACK: Words = {
  one: 'a giving back',
  the: 'The giving back',
  done: 'Given back in',
  unchanged: 'Nothing to give back in',
};

export function wordsOf({ operation, givenBack }: Pick<OperationResult, 'operation' | 'givenBack'>): Words {
  return givenBack ? GIVEN_BACK : OPERATION_WORDS[operation];
}

export const OUTCOME_WORDS: Record<OperationResult['outcome'], string> = {
  succeeded: 'succeeded',
  unchanged: 'found nothing to change',
  failed: 'failed',
  cancelled: 'was cancelled',
};

/** `the rollback of staging goes on` */
export function describeContinuation(operation: Operation, environment: string): string {
  return `${OPERATION_WORDS[operation].the.replace(/^T/, 't')} ${operation === 'deploy' ? 'to' : 'of'} ${environment} goes on`;
}
