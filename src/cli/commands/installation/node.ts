import type { Command } from 'commander';
import { environmentCommand, plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { NodeOptions } from '../../local/node-images.ts';

export function nodeCommand(context: CliContext): Command {
  const importing = environmentCommand('import', {
    summary: 'hand images from files to the real node',
    changesHere: true,
    description:
      'Imports image archives (from docker save, or OCI layouts as tar) under the names that stand in them. Needed where no registry can be reached. The node has to run; done again it changes nothing.',
    examples: [['node import first.tar second.tar --env node', 'Two images.']],
  })
    .argument('<file...>', 'archives')
    .action(async (files: string[], options: NodeOptions) => {
      const { runNodeImport } = await import('../../local/node-images.ts');
      await runNodeImport(context, files, options);
    });
  const node = plainCommand('node', {
    summary: 'the real Kubernetes node: import images',
    description:
      'An environment may have a real node on this machine beside the simulated ones (cluster.embedded.realNode, docs/learn/node.md).',
    examples: [],
  })
    .usage('COMMAND [options]')
    .helpCommand(false);
  return node.addCommand(importing);
}
