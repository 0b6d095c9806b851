/** Sends once, and waits for the answers: for operations whose plan does not yet say who is notified. */
import type { Clients } from '../../clients/index.ts';
import type { InputOf, NotifyInput, OutputOf } from '../../contract/activities.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { ToldEvent } from '../../contract/notifications.ts';
import { digestOf } from '../../plan/digest.ts';
import { notifyTargets, wantsEvent } from '../../plan/notify/targets.ts';
import { readDriftState, updateDriftState } from '../drift/state.ts';
import type { EffectScope } from '../effect.ts';
import { currentEnvironment } from '../environment.ts';
import { notificationOf } from './address.ts';
import { deliver } from './deliver.ts';

/** All are tried, whether or not others work. @throws DeployError with what went wrong, output included */
export async function notify(clients: Clients, input: InputOf<'notify'>, scope: EffectScope): OutputOf<'notify'> {
  scope.doing('tells of it');

  const event = eventOf(input);
  const targets = notifyTargets((await currentEnvironment(clients)).notify).filter((target) =>
    wantsEvent(target, event),
  );
  if (targets.length === 0) return { sent: false };
  const about = input.about === undefined ? undefined : digestOf(input.about.toSorted());
  const { environment, clusterUid } = input.run;
  // Without an answer from the cluster the notification is sent, perhaps twice.
  const told =
    about === undefined
      ? undefined
      : await readDriftState(clients.kubernetes, environment, scope.signal).then(
          ({ notified }) => notified,
          () => undefined,
        );
  if (about !== undefined && told === about) return { sent: false };
  const notification = notificationOf(clients, { ...input, event });
  const answers = await Promise.all(
    targets.map((target) => deliver(clients, target, notification, clusterUid, scope.signal)),
  );
  const failed = answers.filter(({ delivered }) => !delivered).map(({ text }) => text);
  if (failed.length > 0) throw new DeployError(FAILURES.unexpected, failed.join('; '));
  if (about !== undefined) {
    await updateDriftState(
      clients.kubernetes,
      environment,
      (state) => (state.notified === about ? state : { ...state, notified: about }),
      scope.signal,
    ).catch(() => undefined);
  }
  return { sent: true };
}

function eventOf({ event }: NotifyInput): ToldEvent {
  return event === 'deploy-failed' ? 'failure' : event;
}
