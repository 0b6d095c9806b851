import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { CatalogOptions } from '../../look/catalog.ts';

export function catalogCommand(context: CliContext): Command {
  return environmentCommand('catalog', {
    summary: 'list the services of the platform',
    description: `Lists what the platform consists of: number, phase, name, namespace, chart, and what each service needs
before it can start. Reads the catalog in src/catalog and the environment's file, nothing else.`,
    examples: [
      ['catalog', 'The list.'],
      ['catalog --json', 'Everything the catalog says, as an array; use npm run --silent to pipe it.'],
    ],
  })
    .option('--json', 'an array of all services on standard output')
    .action(async (options: CatalogOptions) => {
      const { printCatalog } = await import('../../look/catalog.ts');
      await printCatalog(context, options);
    });
}
