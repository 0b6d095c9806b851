import { type Command, Option } from 'commander';
import { IDENTITIES } from '../../../plan/access/identities.ts';
import { type CommandText, environmentCommand, plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { RbacOptions } from '../../rbac/options.ts';

/** `bootstrap` is the installer's name of earlier versions. */
function identityOption(): Option {
  const option = new Option('--identity <name>', 'one of the identities; all when none is given').choices(IDENTITIES);
  const known = option.parseArg;
  return option.argParser((name: string, before?: unknown) =>
    known?.(name === 'bootstrap' ? 'installer' : name, before),
  );
}

export function rbacCommand(context: CliContext): Command {
  const sub = (name: string, text: CommandText): Command =>
    environmentCommand(name, text).addOption(identityOption()).option('--json', 'one JSON object on standard output');
  const show = sub('show', {
    summary: 'print who may do what in the cluster, as Kubernetes objects',
    description: `Prints service accounts, roles and bindings of the identities installer, deployer, drift, viewer and approver. They follow from
the catalog and from what the charts render with this environment's values. Asks no cluster, changes nothing.`,
    examples: [
      ['rbac show --env staging --identity deployer', 'What a deployment of staging needs, for whoever reviews it.'],
    ],
  }).action(async (options: RbacOptions) => {
    const { showAccess } = await import('../../rbac/run.ts');
    context.finish(await showAccess(context, options));
  });
  const apply = sub('apply', {
    summary: 'make or change these objects in the cluster',
    changesHere: true,
    description: `Applies what "rbac show" prints, with the namespaces that it needs, in the name of somebody who administers the
cluster. Safe to repeat: what is as wanted is left alone.`,
    examples: [['rbac apply --env staging', 'After the first time: again when services or charts have changed.']],
  }).action(async (options: RbacOptions) => {
    const { applyAccess } = await import('../../rbac/run.ts');
    context.finish(await applyAccess(context, options));
  });
  const rbac = plainCommand('rbac', {
    summary: 'who may do what in the cluster: show and apply the roles',
    description:
      'Identities with no more rights than they need: installer, deployer, drift repair, viewer, approver (docs/look-up/rbac.md).',
    examples: [],
  })
    .usage('COMMAND [options]')
    .helpCommand(false);
  return rbac.addCommand(show).addCommand(apply);
}
