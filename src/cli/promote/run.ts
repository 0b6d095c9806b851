/** `ananta promote` up to the point where everything that does not need the target's cluster has been checked. */
import { checkName } from '../shared/confirm.ts';
import { pinnedImages } from '../../plan/promotion/images.ts';
import { inSession } from '../deploy/in-session.ts';
import { checkInputs } from '../deploy/preflight.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import type { PromoteOptions } from './options.ts';

export function runPromote(context: CliContext, options: PromoteOptions): Promise<ExitCode> {
  const { from, to, version, confirm } = options;
  return inSession(context, 'promote', { ...options, env: to }, async (session, prepared) => {
    const { name, protected: isProtected, platform } = prepared.environment;
    if (from === to)
      throw refused(
        `--from and --to are both "${to}": nothing can be promoted from an environment to itself.`,
        `${commandLine('rollback', '--env', to)}   (brings an earlier version of it back)`,
      );
    checkName({
      name,
      confirm,
      interactive: context.terminal.interactive,
      needed: isProtected && options.dryRun !== true,
      what: `"${name}" is a protected environment: promoting to it`,
      again: commandLine(
        ...['promote', '--from', from, '--to', to],
        ...(version === undefined ? [] : ['--version', String(version)]),
        ...['--confirm', name],
      ),
    });
    // Loaded late: the clients take a second, and a wrong option should be refused at once.
    const { readSource } = await import('./source.ts');
    const source = await readSource(context, from, version);
    if (source.environment.platform !== platform)
      throw refused(
        `"${from}" carries the platform "${source.environment.platform}", "${to}" the platform "${platform}": only the same platform can be promoted.`,
      );
    await checkInputs(prepared, pinnedImages(prepared.catalog, source.version.releases), context);
    const { promote } = await import('./promote.ts');
    return promote(session, prepared, source, options);
  });
}
