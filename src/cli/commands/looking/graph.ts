import { type Command, Option } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { GraphOptions } from '../../look/catalog.ts';

export function graphCommand(context: CliContext): Command {
  return environmentCommand('graph', {
    summary: 'draw who waits for whom',
    description: `Draws the services, grouped by phase, with an arrow from each one to those that wait for it. An arrow that
follows from others is left out. The longest path (by declared start-up times) is drawn bold.`,
    examples: [
      ['graph --format svg --out platform.svg', 'A picture for a browser.'],
      ['graph', 'Mermaid, as Markdown viewers draw it.'],
    ],
  })
    .addOption(new Option('--format <format>', 'what to write').choices(['mermaid', 'dot', 'svg']).default('mermaid'))
    .option('--out <file>', 'write to this file instead of standard output')
    .action(async (options: GraphOptions) => {
      const { printGraph } = await import('../../look/catalog.ts');
      await printGraph(context, options);
    });
}
