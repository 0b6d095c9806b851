import type { AnswerSettings } from '../../environment/fields/notify.ts';
import { checkedKey } from './answer-links.ts';
import { type Resolving, resolveReference } from './resolve.ts';

/** @throws DeployError where there is none, or it is too short; whatever cluster or Vault fail with */
export async function answerKey(
  clients: Resolving,
  { key }: Pick<AnswerSettings, 'key'>,
  clusterUid: string,
  signal: AbortSignal,
): Promise<string> {
  return checkedKey(await resolveReference(clients, { reference: key, field: 'notify.links.key', clusterUid }, signal));
}
