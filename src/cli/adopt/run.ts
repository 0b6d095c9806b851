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
      ...(options.all ? ['--all'] : []),
      ...(options.references === undefined ? [] : ['--references']),
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
  if ((service === undefined) === (options.all === undefined))
    throw refused(
      service === undefined
        ? 'What is to be taken over: a service by its name, --all, or, to see what is there, --from.'
        : `Either ${service} or --all.`,
      commandLine('adopt', '--env', env, '--from', 'live'),
    );
  if (options.undo && options.references !== undefined)
    throw refused('--undo imports nothing: it does not go with --references.');
  return adoptService(context, service, options);
}

function adoptService(context: CliContext, service: string | undefined, options: AdoptOptions): Promise<ExitCode> {
  return inSession(context, 'adopt', options, async (session, { environment, catalog }) => {
    if (options.undo && options.plan !== undefined)
      throw refused('--undo shows what it does by itself: it does not go with --plan.');
    const names = catalog.services.map(({ name }) => name);
    if (service !== undefined && !names.includes(service))
      throw refused(`There is no service "${service}"${suggestion(service, names) || '.'}`, commandLine('catalog'));
    requireName(environment.name, service, options.confirm, context.terminal.interactive);
    const kept = options.plan === undefined ? undefined : await keptPlan(options.plan, 'adopt', options.env);
    if (kept !== undefined && kept.service !== service)
      throw refused(
        `The plan ${options.plan ?? ''} is that of taking over ${kept.service ?? 'all'}, not ${service ?? 'all'}.`,
        commandLine('adopt', kept.service ?? '--all', '--env', options.env, '--plan', options.plan ?? ''),
      );
    // Loaded late: the clients take a second, and a wrong option should be refused at once.
    const { adopt } = await import('./adoption.ts');
    return adopt(session, service, options, kept);
  });
}

/** @throws CliError (refused) for another name, or without one where nobody can be asked */
export function requireName(
  name: string,
  service: string | undefined,
  confirm: string | undefined,
  interactive: boolean,
): void {
  checkName({
    name,
    confirm,
    interactive,
    needed: true,
    what: 'Taking over what somebody else has installed',
    again: commandLine('adopt', service ?? '--all', '--env', name, '--confirm', name),
  });
}
