/** `ananta rotate` up to the point where everything that needs no cluster has been checked. */
import type { RotateSelection } from '../../contract/operations/secret-name.ts';
import { choosePossible } from '../../plan/rotation/possible.ts';
import { inSession } from '../deploy/in-session.ts';
import { keptPlan } from '../plan/kept.ts';
import { checkName } from '../shared/confirm.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import type { RotateOptions } from './options.ts';

export function runRotate(
  context: CliContext,
  path: string | undefined,
  key: string | undefined,
  options: RotateOptions,
): Promise<ExitCode> {
  return inSession(context, 'rotate', options, async (session, { environment, catalog }) => {
    const asked = requireSelection(path, key, options);
    const { name, protected: isProtected } = environment;
    checkName({
      name,
      confirm: options.confirm,
      interactive: context.terminal.interactive,
      needed: isProtected,
      what: `"${name}" is a protected environment: rotating its secrets`,
      again: commandLine('rotate', ...wordsOf(path, key, options), '--env', name, '--confirm', name),
    });
    const kept = options.plan === undefined ? undefined : await keptPlan(options.plan, 'rotate', options.env);
    const selection: RotateSelection = kept
      ? {
          ...(kept.secrets
            ? {
                secrets: kept.secrets.map(({ path: of, key: one }) => ({
                  path: of,
                  ...(one === undefined ? {} : { key: one }),
                })),
              }
            : {}),
          ...(kept.olderThanSeconds === undefined ? {} : { olderThanSeconds: kept.olderThanSeconds }),
        }
      : asked;
    choosePossible(catalog, environment, selection);
    // Loaded late: the clients take a second, and a wrong name should be refused at once.
    const { rotate } = await import('./rotation.ts');
    return rotate(session, options, selection, kept);
  });
}

/** @throws CliError (refused) where it does not say what, or says it twice */
export function requireSelection(
  path: string | undefined,
  key: string | undefined,
  { env, all, olderThan, plan }: Pick<RotateOptions, 'env' | 'all' | 'olderThan' | 'plan'>,
): RotateSelection {
  if (plan !== undefined) {
    if (path === undefined && all === undefined && olderThan === undefined) return {};
    throw refused(
      'With --plan neither a path nor --all or --older-than is given: the plan says it.',
      commandLine('plan', '--env', env, '--operation', 'rotate', '--out', plan),
    );
  }
  if (path === undefined && all === undefined)
    throw refused(
      'Rotate what? Name a path, or say --all.',
      commandLine('secrets', 'list', '--env', env),
      `${commandLine('plan', '--env', env, '--operation', 'rotate')}   (what --all would do)`,
    );
  if (path !== undefined && all !== undefined)
    throw refused(
      `Either "${path}" or --all.`,
      commandLine('rotate', ...(key === undefined ? [path] : [path, key]), '--env', env),
    );
  return {
    ...(path === undefined ? {} : { secrets: [key === undefined ? { path } : { path, key }] }),
    ...(olderThan === undefined ? {} : { olderThanSeconds: olderThan }),
  };
}

function wordsOf(path: string | undefined, key: string | undefined, { all }: RotateOptions): string[] {
  return [...(path === undefined ? [] : [path]), ...(key === undefined ? [] : [key]), ...(all ? ['--all'] : [])];
}
