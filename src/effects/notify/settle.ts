/** After the last attempt: a notification that was not delivered is kept, one that was delivered at last is removed. */
import type { Clients } from '../../clients/index.ts';
import { KubernetesError, paths } from '../../clients/kubernetes/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { RECORDS_NAMESPACE } from '../../contract/names.ts';
import { keepDeadLetter, letterId, letterName } from './dead-letters.ts';
import type { EffectScope } from '../effect.ts';

export async function settleNotification(
  clients: Clients,
  { run, notification, delivery, before }: InputOf<'settleNotification'>,
  scope: EffectScope,
): OutputOf<'settleNotification'> {
  const { target, delivered, attempts, text } = delivery;
  const id = before?.id ?? letterId(notification.id, target);
  const { environment } = run;
  if (delivered) {
    scope.doing(`forgets that ${target} could not be told`);
    await clients.kubernetes.remove(
      paths.configMap(RECORDS_NAMESPACE, letterName({ environment, id })),
      {},
      scope.signal,
    );
    return {};
  }
  scope.doing(`keeps what ${target} could not be told`);
  const letter = {
    id,
    environment,
    target,
    at: new Date().toISOString(),
    attempts: attempts + (before?.attempts ?? 0),
    error: text.replaceAll(/\s+/g, ' ').slice(0, 500),
    notification,
  };
  try {
    return (await keepDeadLetter(clients.kubernetes, letter, { signal: scope.signal })) ? { letter: id } : {};
  } catch (error) {
    // Nobody has given the right: that does not change by trying.
    if (error instanceof KubernetesError && error.status === 403) return {};
    throw error;
  }
}
