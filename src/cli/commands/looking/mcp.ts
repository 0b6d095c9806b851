import type { Command } from 'commander';
import type { McpOptions } from '../../mcp/run.ts';
import { collectText } from '../../shared/arguments.ts';
import { plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';

export function mcpCommand(context: CliContext): Command {
  return plainCommand('mcp', {
    summary: 'serve status, plans, explanations and evidence to an assistant',
    description: `A server of the Model Context Protocol on standard input and output, started by the assistant's own program. Its
tools are the commands of the same names, with the same answers (--json) and the same values hidden: status, plan, explain,
history, evidence, drift_show. Nothing is changed.

With --allow-changes there are two more. deploy carries out exactly a plan that the plan tool has made in the same
session, named by its digest, and is refused when the world is another by then; cancel ends what runs in good order.
Protected environments are never changed from here.`,
    examples: [
      ['mcp', 'All environments, to be read.'],
      ['mcp --env staging --allow-changes', 'Staging alone; an assistant may deploy what was planned.'],
    ],
  })
    .option('-e, --env <name>', 'serve this environment and no other; may be repeated', collectText)
    .option('--allow-changes', 'tools that change something, too')
    .action(async (options: McpOptions) => {
      const { runMcp } = await import('../../mcp/run.ts');
      await runMcp(context, options);
    });
}
