/**
 * Who has asked for the rings, as the API server of each environment knows them. The proof is read at the start, since
 * Kubernetes removes it after a day, and a later ring may begin in a week.
 */
import { HandlerUnfinishedPolicy } from '@temporalio/common';
import { condition, setHandler, workflowInfo } from '@temporalio/workflow';
import { taskQueueOf } from '../../contract/names.ts';
import type { RingsInput, RingsView, RingTarget } from '../../contract/operations/rings.ts';
import { requestPurpose } from '../../plan/admission/attestation.ts';
import { attestationsOf } from '../activity-proxies.ts';
import { attestedOf } from '../admission/attested.ts';
import { refusedUpdate } from '../admission/refused-update.ts';
import { identify } from '../messages.ts';

/** Whoever starts the rings proves it right after; without it they go on, and the gates say so. */
const PROOF_MILLISECONDS = 120_000;

export interface Identified {
  /** Ends when it is proved who asks for what this environment gets, or nobody has proved it in time. */
  proved(target: RingTarget): Promise<void>;
}

export function identifiedBy({ rings }: RingsInput, view: RingsView): Identified {
  const targets = rings.flatMap((ring) => ring.targets);
  const views = view.rings.flatMap((ring) => ring.targets);
  const requesterOf = (name: string): string | undefined =>
    views.find(({ environment }) => environment === name)?.requester;
  const { workflowId, runId } = workflowInfo();

  setHandler(
    identify,
    async ({ attestation, environment = '' }) => {
      const target = targets.find((one) => one.environment === environment);
      refusedUpdate(target ? undefined : `These rings have no environment "${environment}"`);
      const run = { environment, imageTags: {}, clusterUid: target?.clusterUid ?? '', workflowId, runId };
      const { user, purpose } = await attestedOf(run, attestation, undefined, attestationsOf(taskQueueOf(environment)));
      refusedUpdate(purpose === requestPurpose(runId) ? undefined : 'It is made for something else');
      const known = requesterOf(environment);
      refusedUpdate(known === undefined ? undefined : `${known} has asked for it`);
      const own = views.find((one) => one.environment === environment);
      if (own) own.requester = user;
      return { user };
    },
    { unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON },
  );
  const since = Date.now();

  return {
    async proved({ environment, identifies }) {
      if (identifies !== true) return;
      const left = since + PROOF_MILLISECONDS - Date.now();
      if (left > 0) await condition(() => requesterOf(environment) !== undefined, left);
    },
  };
}
