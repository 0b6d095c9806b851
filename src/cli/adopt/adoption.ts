/** Shows what will be taken over, asks, then starts it and watches. */
import { type Adoption, adoptionOf } from '../../effects/adopt/adoption.ts';
import { closeTemporal, startOrAttach } from '../../clients/temporal/index.ts';
import { givingBackOf } from '../../effects/adopt/give-back.ts';
import type { PlanFile } from '../../plan/diff/file.ts';
import type { AdoptInput } from '../../contract/operations/adopt.ts';
import { withClients } from '../shared/clients.ts';
import { confirmByName } from '../shared/confirm.ts';
import { confirmationOf } from '../deploy/confirmed.ts';
import { requireFreeLock } from '../deploy/lock/require-free.ts';
import { ensureLocalStackAgain } from '../deploy/local-stack.ts';
import { beforeStart, prerequisites } from '../deploy/prerequisites.ts';
import type { Session } from '../deploy/session.ts';
import { watchStarted } from '../deploy/watch.ts';
import type { ExitCode } from '../shared/failure.ts';
import { wrap } from '../shared/format.ts';
import { writeJson } from '../render/renderers.ts';
import { requireSamePlan } from '../plan/kept.ts';
import { printLines } from '../shared/terminal.ts';
import type { AdoptOptions } from './options.ts';

const COLUMNS = 96;

/** @param kept a plan that was looked at before */
export async function adopt(
  session: Session,
  service: string,
  options: AdoptOptions,
  kept?: PlanFile,
): Promise<ExitCode> {
  const { environment, context, renderer, json, interrupted } = session;
  const connections = await ensureLocalStackAgain(session);
  const ready = await prerequisites(session, connections);
  let adoption: Adoption;
  try {
    await requireFreeLock(session, ready, 'adopt');
    adoption = await withClients(context, environment, connections, (clients) =>
      options.undo ? givingBackOf(clients, service, interrupted) : adoptionOf(clients, service, interrupted),
    );
    if (kept) requireSamePlan(options.plan ?? '', kept, ready.clusterUid, adoption);
    if (json)
      writeJson(context.terminal.stdout, { type: 'preview', environment: environment.name, service, ...adoption });
    else {
      renderer.close();
      printLines(
        context.terminal.stdout,
        options.undo ? givingBackLines(service, adoption) : adoptionLines(service, adoption),
      );
    }
    if (options.confirm === undefined)
      await confirmByName(
        environment.name,
        options.undo ? 'It is not ours any more from then on.' : 'The next deployment makes it what the catalog says.',
        interrupted,
      );
  } catch (error) {
    await closeTemporal(ready.client).catch(() => undefined);
    throw error;
  }
  // Its name was typed or given, protected or not.
  const confirmation = await confirmationOf(session, ready.cluster, { operation: 'adopt', confirm: environment.name });
  const input: AdoptInput = {
    environment: environment.name,
    clusterUid: ready.clusterUid,
    requestedBy: context.config.requestedBy,
    service,
    expectedDigest: adoption.digest,
    ...(options.undo ? { undo: options.undo } : {}),
    ...(confirmation ? { confirmation } : {}),
    ...(options.overrideFreeze === undefined ? {} : { freezeOverride: options.overrideFreeze }),
  };
  // Never attached to a deployment by accident.
  const proved = await beforeStart(session, ready, 'adopt', input);
  const run = await startOrAttach(ready.client, 'adopt', proved, 'refuse');
  return watchStarted(session, ready, run, { operation: 'adopt' });
}

/** What is given back, and what stays as it is. Pure. */
export function givingBackLines(service: string, { releases }: Pick<Adoption, 'releases'>): string[] {
  return [
    '',
    `Of ${service}, given back:`,
    ...releases.flatMap(({ text, claims, secrets = [] }) => [
      ...wrap(text, COLUMNS),
      ...[...claims, ...secrets].map((kept) => `  - ${kept}: no longer marked to be kept`),
    ]),
    ...wrap(
      'What runs, runs on as it is; nothing is applied or deleted. From then on "plan" and "deploy" refuse it as somebody else\'s, and whoever has it may apply it again. Values of Vault, and Secrets made from it, stay.',
      COLUMNS,
    ),
    '',
  ];
}

/** What is there, and what becomes of it. Pure. */
export function adoptionLines(service: string, { releases }: Pick<Adoption, 'releases'>): string[] {
  const items = (texts: readonly string[]): string[] =>
    texts.flatMap((text) => wrap(text, COLUMNS - 4).map((line, index) => `${index === 0 ? '  - ' : '    '}${line}`));
  return [
    '',
    `In the place of ${service}:`,
    ...releases.flatMap(({ text, objects, claims, secrets = [] }) => [
      ...wrap(text, COLUMNS),
      'It holds:',
      ...items(objects.length === 0 ? ['no objects'] : objects),
      ...(claims.length === 0
        ? []
        : ['Its claims stay, whatever follows; each is marked so that Helm keeps it:', ...items(claims)]),
      ...(secrets.length === 0
        ? []
        : ['So are its Secrets, since passwords that run stand in them:', ...items(secrets)]),
    ]),
    ...wrap(
      'Taken over, it counts as ours, and nothing else is changed now. The next deployment upgrades it to what the catalog says: of its objects it keeps those that the chart of the service has as well, and deletes the others, claims and Secrets apart. "plan" shows that beforehand.',
      COLUMNS,
    ),
    '',
  ];
}
