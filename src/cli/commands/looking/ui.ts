import { type Command, InvalidArgumentError } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { UiOptions } from '../../look/ui.ts';

export function uiCommand(context: CliContext): Command {
  return environmentCommand('ui', {
    summary: "open a way to the engine's web interface",
    description: `Prints the address of the Temporal UI in which deployments are looked at. Where the engine runs in the target cluster, it
keeps a way to it open on this machine until Ctrl-C; whoever may connect to this machine's loopback may use it meanwhile.`,
    examples: [['ui --env staging', "A way to the UI of staging's engine."]],
  })
    .option('--port <number>', 'port on 127.0.0.1; default: any that is free', portNumber, 0)
    .action(async (options: UiOptions) => {
      const { runUi } = await import('../../look/ui.ts');
      await runUi(context, options);
    });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('A port is a whole number up to 65535.');
  return port;
}
