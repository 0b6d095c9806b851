/** `ananta adopt` up to the point where everything that needs no cluster has been checked. */
import { checkName } from '../shared/confirm.ts';
import { suggestion } from '../../suggest.ts';
import type { CliContext } from '../shared/context.ts';
import { inSession } from '../deploy/in-session.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { keptPlan } from '../plan/kept.ts';
import { commandLine } from '../shared/format.ts';
import type { AdoptOptions } from './options.ts';

export async function runAdopt(
  context: CliContext,
  service: string | undefined,
  options: AdoptOptions,
): Promise<ExitCode> {
  const { env, from, out, json } = options;
  if (from !== undefined) {
    const besides = [
      ...(service === undefined ? [] : [service]),
      ...(options.plan === undefined ? [] : ['--plan']),
      ...(options.undo ? ['--undo'] : []),
      ...(options.confirm === undefined ? [] : ['--confirm']),
      ...(options.overrideFreeze === undefined ? [] : ['--override-freeze']),
    ];
    if (besides.length > 0)
      throw refused(
        `--from changes nothing, and reads everything: it does not go with ${besides.join(' and ')}.`,
        commandLine('adopt', '--env', env, '--from', from),
      );
    const { draft } = await import('./draft.ts');
    return draft(context, { env, from, out, json });
  }
  if (out !== undefined)
    throw refused('--out goes with --from.', commandLine('adopt', '--env', env, '--from', 'live', '--out', out));
  if (service === undefined)
    throw refused(
      'What is to be taken over: a service by its name, or, to see what is there, --from.',
      commandLine('adopt', '--env', env, '--from', 'live'),
    );
  return adoptService(context, service, options);
}

function adoptService(context: CliContext, service: string, options: AdoptOptions): Promise<ExitCode> {
  return inSession(context, 'adopt', options, async (session, { environment, catalog }) => {
    if (options.undo && options.plan !== undefined)
      throw refused('--undo shows what it does by itself: it does not go with --plan.');
    const names = catalog.services.map(({ name }) => name);
    if (!names.includes(service))
      throw refused(`There is no service "${service}"${suggestion(service, names) || '.'}`, commandLine('catalog'));
    requireName(environment.name, service, options.confirm, context.terminal.interactive);
    const kept = options.plan === undefined ? undefined : await keptPlan(options.plan, 'adopt', options.env);
    if (kept?.service !== undefined && kept.service !== service)
      throw refused(
        `The plan ${options.plan ?? ''} is that of taking over ${kept.service}, not ${service}.`,
        commandLine('adopt', kept.service, '--env', options.env, '--plan', options.plan ?? ''),
      );
    // Loaded late: the clients take a second, and a wrong option should be refused at once.
    const { adopt } = await import('./adoption.ts');
    return adopt(session, service, options, kept);
  });
}

/** @throws CliError (refused) for another name, or without one where nobody can be asked */
export function requireName(name: string, service: string, confirm: string | undefined, interactive: boolean): void {
  checkName({
    name,
    confirm,
    interactive,
    needed: true,
    what: 'Taking over what somebody else has installed',
    again: commandLine('adopt', service, '--env', name, '--confirm', name),
  });
}
