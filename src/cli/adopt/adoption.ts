/** Shows what will be taken over, asks, then starts it and watches. */
import { closeTemporal, startOrAttach } from '../../clients/temporal/index.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { adoptionsDigest, adoptionsOf, givingsBackOf, type ServiceAdoption } from '../../effects/adopt/several.ts';
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
import { type ExitCode, refused } from '../shared/failure.ts';
import type { CliContext } from '../shared/context.ts';
import { commandLine, wrap } from '../shared/format.ts';
import { writeJson } from '../render/renderers.ts';
import { requireSamePlan } from '../plan/kept.ts';
import { printLines } from '../shared/terminal.ts';
import type { AdoptOptions } from './options.ts';

const COLUMNS = 96;

/**
 * @param service absent: all of which something is somebody else's, or was taken over
 * @param kept a plan that was looked at before
 */
export async function adopt(
  session: Session,
  service: string | undefined,
  options: AdoptOptions,
  kept?: PlanFile,
): Promise<ExitCode> {
  const { environment, context, renderer, json, interrupted } = session;
  const connections = await ensureLocalStackAgain(session);
  const ready = await prerequisites(session, connections);
  let shown: { adoptions: ServiceAdoption[]; digest: string };
  try {
    await requireFreeLock(session, ready, 'adopt');
    const wanted = service === undefined ? 'all' : [service];
    const adoptions = await withClients(context, environment, connections, (clients) =>
      options.undo ? givingsBackOf(clients, wanted, interrupted) : adoptionsOf(clients, wanted, interrupted),
    );
    shown = { adoptions, digest: adoptionsDigest(adoptions, options.undo) };
    if (kept) requireSamePlan(options.plan ?? '', kept, ready.clusterUid, { digest: shown.digest });
    if (json)
      writeJson(context.terminal.stdout, {
        type: 'preview',
        environment: environment.name,
        ...(service === undefined ? { services: adoptions, digest: shown.digest } : adoptions[0]),
      });
    else {
      renderer.close();
      printLines(context.terminal.stdout, shownLines(adoptions, options.undo));
    }
    if (options.confirm === undefined)
      await confirmByName(
        environment.name,
        options.undo ? 'It is not ours any more from then on.' : 'The next deployment makes it what the catalog says.',
        interrupted,
      );
    if (options.references !== undefined)
      await importPasswords(context, { ...options, references: options.references });
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
    ...(service === undefined ? { services: shown.adoptions.map((one) => one.service) } : { service }),
    expectedDigest: shown.digest,
    ...(options.undo ? { undo: options.undo } : {}),
    ...(confirmation ? { confirmation } : {}),
    ...(options.overrideFreeze === undefined ? {} : { freezeOverride: options.overrideFreeze }),
  };
  // Never attached to a deployment by accident.
  const proved = await beforeStart(session, ready, 'adopt', input);
  const run = await startOrAttach(ready.client, 'adopt', proved, 'refuse');
  return watchStarted(session, ready, run, { operation: 'adopt' });
}

/** Before anything is taken over: a password that nobody knows would be made anew by the next deployment. */
async function importPasswords(
  context: CliContext,
  { env, references, confirm }: AdoptOptions & { references: string },
): Promise<void> {
  const { importSecrets } = await import('../secrets/import.ts');
  const code = await importSecrets(
    context,
    { env, references, ...(confirm === undefined ? {} : { confirm }) },
    { goesOn: true },
  );
  if (code !== EXIT_CODES.done)
    throw refused(
      `Values are missing, so nothing was taken over: complete ${references} first.`,
      commandLine('adopt', '--env', env, '--from', 'live', '--out', 'adopted'),
    );
}

/** What is taken over, or given back, service by service, and what that means once for all. Pure. */
export function shownLines(adoptions: readonly ServiceAdoption[], undo?: true): string[] {
  const lines = undo ? givingBackLines : adoptionLines;
  const texts = adoptions.map(({ service, releases }) => lines(service, { releases }));
  const { length } = texts;
  const rest = wrap(undo ? GIVEN_BACK : TAKEN_OVER, COLUMNS).length + 1;
  return texts.flatMap((text, index) => (index === length - 1 ? text : text.slice(0, -rest)));
}

const GIVEN_BACK =
  'What runs, runs on as it is; nothing is applied or deleted. From then on "plan" and "deploy" refuse it as somebody else\'s, and whoever has it may apply it again. Values of Vault, and Secrets made from it, stay.';
const TAKEN_OVER =
  'Taken over, it counts as ours, and nothing else is changed now. The next deployment upgrades it to what the catalog says: of its objects it keeps those that the chart of the service has as well, and deletes the others, claims and Secrets apart. "plan" shows that beforehand.';

/** What is given back, and what stays as it is. Pure. */
export function givingBackLines(service: string, { releases }: Pick<ServiceAdoption, 'releases'>): string[] {
  return [
    '',
    `Of ${service}, given back:`,
    ...releases.flatMap(({ text, claims, secrets = [] }) => [
      ...wrap(text, COLUMNS),
      ...[...claims, ...secrets].map((kept) => `  - ${kept}: no longer marked to be kept`),
    ]),
    ...wrap(GIVEN_BACK, COLUMNS),
    '',
  ];
}

/** What is there, and what becomes of it. Pure. */
export function adoptionLines(service: string, { releases }: Pick<ServiceAdoption, 'releases'>): string[] {
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
    ...wrap(TAKEN_OVER, COLUMNS),
    '',
  ];
}
