import type { Command } from 'commander';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { DoctorOptions } from '../../look/doctor.ts';

export function doctorCommand(context: CliContext): Command {
  return environmentCommand('doctor', {
    summary: 'what is there, what is missing, where it listens',
    description: `Looks at everything an environment stands on: tools with their versions, components with process id, port
and health, addresses, folders, and the lines to export for kubectl, helm and vault. Changes nothing.

Exit code 0: all components are healthy. Exit code 1: one is not, or nothing was started yet.`,
    examples: [
      ['doctor', 'The sandbox on this machine.'],
      ['doctor --env staging --json', 'For a program.'],
    ],
  })
    .option('--json', 'one JSON object on standard output: {components: [{name, version, pid, port, healthy, detail}]}')
    .action(async (options: DoctorOptions) => {
      const { runDoctor } = await import('../../look/doctor.ts');
      context.finish(await runDoctor(context, options));
    });
}
