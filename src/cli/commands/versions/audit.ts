import type { Command } from 'commander';
import { parseVersion } from '../../shared/arguments.ts';
import type { AuditOptions } from '../../look/audit.ts';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';

export function auditCommand(context: CliContext): Command {
  return environmentCommand('audit', {
    summary: 'what was done to the platform: who, what, when, how it ended',
    description: `Each operation (deploy, rollback, repair, destroy) leaves a record in the cluster when it ends, well or not: who asked
for it, the digest of its plan, its outcome. The newest 500 are kept, and outlive workers and engine. Needs neither of them.`,
    examples: [
      ['audit --env prod', 'The newest first.'],
      ['audit --env prod --limit 500 --json', 'All of them, for a program.'],
    ],
  })
    .option('--limit <count>', 'how many to show', parseVersion, 20)
    .option('--json', 'an array on standard output')
    .action(async (options: AuditOptions) => {
      const { showAudit } = await import('../../look/audit.ts');
      await showAudit(context, options);
    });
}
