import type { Command } from 'commander';
import type { NexusOptions } from '../../nexus/options.ts';
import { type CommandText, environmentCommand, plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';

export function nexusCommand(context: CliContext): Command {
  const sub = (name: string, text: CommandText): Command =>
    environmentCommand(name, text).option('--json', 'one JSON object on standard output');
  const show = sub('show', {
    summary: "the environment's Nexus endpoint, and what it lets others ask (the default)",
    description: `Says under which endpoint workflows of other teams reach the environment, what its file allows them, and whether the
engine has that endpoint. Asks the engine alone, changes nothing.

Exit code 1: the file wants an endpoint, and the engine has none, or somebody else's.`,
    examples: [['nexus show --env staging', 'Where is it, and who may ask for what?']],
  }).action(async (options: NexusOptions) => {
    const { showNexus } = await import('../../nexus/run.ts');
    context.finish(await showNexus(context, options));
  });
  const apply = sub('apply', {
    summary: "make the engine's endpoint as the environment's file says",
    changesHere: true,
    description: `Makes the endpoint that the file wants and removes those of ours that it wants no more; workers do the same when they
start, where the engine lets them: here it is done with the rights of whoever runs the command. An endpoint that is not
exactly as the deployer makes it is somebody else's: it is neither changed nor removed.`,
    examples: [['nexus apply --env staging', 'By somebody who is an operator of the engine.']],
  }).action(async (options: NexusOptions) => {
    const { applyNexus } = await import('../../nexus/run.ts');
    context.finish(await applyNexus(context, options));
  });
  const remove = sub('remove', {
    summary: "remove the environment's endpoint from the engine",
    changesHere: true,
    description: `Callers get "endpoint not registered" from then on; what they have begun goes on. The next worker that starts makes it
again, unless the environment's file says nothing of nexus any more.`,
    examples: [['nexus remove --env staging', 'Before the environment is given up.']],
  }).action(async (options: NexusOptions) => {
    const { removeNexus } = await import('../../nexus/run.ts');
    context.finish(await removeNexus(context, options));
  });
  return plainCommand('nexus', {
    summary: "what other teams' workflows may ask, and where: show, apply, remove the endpoint",
    description:
      'Deployments, promotions, verifications and status as operations of Temporal Nexus: docs/look-up/nexus.md. Without a further word: "nexus show".',
    examples: [],
  })
    .addCommand(show, { isDefault: true })
    .addCommand(apply)
    .addCommand(remove);
}
