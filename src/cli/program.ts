/** The tree of commands. */
import { Command, type Option } from 'commander';
import { adoptCommand } from './commands/adopt.ts';
import { attachCommand } from './commands/attach.ts';
import { bootstrapCommand } from './commands/bootstrap.ts';
import { cancelCommand } from './commands/cancel.ts';
import { catalogCommand } from './commands/catalog.ts';
import { chartsCommand } from './commands/charts.ts';
import { deployCommand } from './commands/deploy.ts';
import { destroyCommand } from './commands/destroy.ts';
import { doctorCommand } from './commands/doctor.ts';
import { downCommand } from './commands/down.ts';
import { driftCommand } from './commands/drift.ts';
import { explainCommand } from './commands/explain.ts';
import { envCommand } from './commands/env.ts';
import { freezeCommand } from './commands/freeze.ts';
import { graphCommand } from './commands/graph.ts';
import { auditCommand } from './commands/audit.ts';
import { diffCommand, historyCommand } from './commands/history.ts';
import { logsCommand } from './commands/logs.ts';
import { nodeCommand } from './commands/node.ts';
import { planCommand } from './commands/plan.ts';
import { rbacCommand } from './commands/rbac.ts';
import { rebindCommand } from './commands/rebind.ts';
import { rollbackCommand } from './commands/rollback.ts';
import { reportCommand } from './commands/report.ts';
import { secretsCommand } from './commands/secrets.ts';
import { statusCommand } from './commands/status.ts';
import { uiCommand } from './commands/ui.ts';
import { upCommand } from './commands/up.ts';
import { vaultCommand } from './commands/vault.ts';
import { verifyCommand } from './commands/verify.ts';
import { workerCommand } from './commands/worker.ts';
import { shortened } from './shared/arguments.ts';
import type { Attempt, CliContext } from './shared/context.ts';
import { refused } from './shared/failure.ts';
import { commandLine } from './shared/format.ts';
import { suggestion } from '../suggest.ts';

const GROUPS: [title: string, commands: ((context: CliContext) => Command)[]][] = [
  [
    'Deploying:',
    [
      deployCommand,
      planCommand,
      attachCommand,
      cancelCommand,
      statusCommand,
      verifyCommand,
      freezeCommand,
      adoptCommand,
      destroyCommand,
    ],
  ],
  ['Versions:', [historyCommand, auditCommand, diffCommand, reportCommand, rollbackCommand]],
  ['Knowing the platform:', [catalogCommand, graphCommand, chartsCommand, envCommand]],
  ['Keeping it as deployed:', [driftCommand]],
  ['Looking inside:', [explainCommand, doctorCommand, uiCommand, logsCommand, secretsCommand, vaultCommand]],
  [
    'What it runs on:',
    [upCommand, downCommand, nodeCommand, workerCommand, bootstrapCommand, rbacCommand, rebindCommand],
  ],
];

/** What these change they change in this very process: it is not left half done because nobody reads on. */
export const CHANGES_BY_ITSELF: readonly string[] = [
  ...['up', 'down', 'bootstrap', 'rebind', 'rbac apply', 'node import', 'charts lock', 'charts pull', 'charts prune'],
  ...['charts bundle', 'charts unbundle', 'secrets set', 'secrets import', 'vault unseal', 'vault root', 'worker'],
  ...['drift accept', 'drift unaccept', 'drift reset', 'drift pause', 'drift resume', 'freeze override'],
];

/** @param onAttempt told which command is about to run, before it does */
export function buildProgram(context: CliContext, onAttempt: (attempt: Attempt) => void): Command {
  const program = new Command('ananta')
    .description(
      'Deploys a platform, the Ananta Platform or one of your own, on Kubernetes as one durable workflow: whatever dies on the way, the deployment goes on where it was.',
    )
    .version(context.version)
    .usage('COMMAND [options]')
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.stdout.write(text),
      writeErr: (text) => context.terminal.stderr.write(text),
      // Errors are printed in one place: main.ts.
      outputError: () => undefined,
    })
    .addHelpText(
      'after',
      `
Start here:
  npm run deploy
      Deploys everything to the sandbox: a real Temporal, Kubernetes API and Vault on this
      machine, with simulated pods. Run again, it changes nothing.
  ${commandLine('COMMAND', '--help')}
      Explains one command.

Documentation: docs/cli.md`,
    )
    .argument('[command]')
    .allowExcessArguments()
    .action((name?: string) => {
      if (name !== undefined)
        throw refused(
          `There is no command "${shortened(name)}"${
            suggestion(
              name.slice(0, 100),
              program.commands.map((command) => command.name()),
            ) || '.'
          }`,
          commandLine('--help'),
        );
      program.outputHelp();
    });
  for (const [title, commands] of GROUPS) {
    for (const make of commands) program.addCommand(inherit(program, make(context)).helpGroup(title));
  }
  program.hook('preSubcommand', (_program, command) => onAttempt({ command: command.name() }));
  program.hook('preAction', (_program, command) => {
    if (CHANGES_BY_ITSELF.includes(fullName(command))) context.outputLost = undefined;
    const { env } = command.opts<{ env?: string }>();
    onAttempt({ command: fullName(command), ...(env === undefined ? {} : { environment: env }) });
  });
  return program;
}

function inherit(parent: Command, command: Command): Command {
  command.copyInheritedSettings(parent).allowExcessArguments(false);
  for (const option of command.options) refuseContradictions(command, option);
  for (const child of command.commands) inherit(command, child);
  return command;
}

/** One of two values would be dropped without a word. Lists are said several times, or with commas. */
function refuseContradictions(command: Command, option: Option): void {
  if (!option.required) return;
  const repeatable = option.parseArg?.name.startsWith('collect') === true;
  let given: string | undefined;
  command.on(`option:${option.name()}`, (value: string) => {
    if (value === '')
      throw refused(`--${option.name()} is empty: it needs a value.`, commandLine(command.name(), '--help'));
    if (value.includes('\0')) throw refused(`--${option.name()} holds a NUL byte.`);
    if (!repeatable && given !== undefined && given !== value)
      throw refused(`--${option.name()} is given twice: ${shortened(given)} and ${shortened(value)}.`);
    given = value;
  });
}

function fullName(command: Command): string {
  const names: string[] = [];
  for (let at = command; at.parent; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}
