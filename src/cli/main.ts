/**
 * Entry: `node src/cli/main.ts COMMAND …`. From the command line over the tree of commands to the exit code. Commands
 * load what they need when they run, so that help comes at once.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Config, keepLoopbackDirect, readConfig } from '../config.ts';
import { EXIT_CODES } from '../contract/failures.ts';
import { outputWritten, watchOutput } from '../process/output.ts';
import { adoptCommand } from './commands/deploying/adopt.ts';
import { approvalsCommand, approveCommand, rejectCommand } from './commands/deploying/approvals.ts';
import { attachCommand } from './commands/deploying/attach.ts';
import { installCommand } from './commands/installation/install.ts';
import { cancelCommand } from './commands/deploying/cancel.ts';
import { catalogCommand } from './commands/looking/catalog.ts';
import { chartsCommand } from './commands/looking/charts.ts';
import { codecCommand } from './commands/looking/codec.ts';
import { completionCommand } from './commands/installation/completion.ts';
import { deployCommand } from './commands/deploying/deploy.ts';
import { destroyCommand } from './commands/deploying/destroy.ts';
import { doctorCommand } from './commands/looking/doctor.ts';
import { downCommand } from './commands/installation/down.ts';
import { driftCommand } from './commands/looking/drift.ts';
import { explainCommand } from './commands/looking/explain.ts';
import { envCommand } from './commands/looking/env.ts';
import { freezeCommand } from './commands/deploying/freeze.ts';
import { graphCommand } from './commands/looking/graph.ts';
import { auditCommand } from './commands/versions/audit.ts';
import { backupCommand, restoreCommand } from './commands/versions/backup.ts';
import { checkpointCommand } from './commands/versions/checkpoint.ts';
import { diffCommand, historyCommand } from './commands/versions/history.ts';
import { logsCommand } from './commands/looking/logs.ts';
import { mcpCommand } from './commands/looking/mcp.ts';
import { nexusCommand } from './commands/installation/nexus.ts';
import { nodeCommand } from './commands/installation/node.ts';
import { notifyCommand } from './commands/looking/notify.ts';
import { planCommand } from './commands/deploying/plan.ts';
import { preflightCommand } from './commands/looking/preflight.ts';
import { promoteCommand } from './commands/versions/promote.ts';
import { exportCommand, rehearseCommand } from './commands/deploying/rehearse.ts';
import { rbacCommand } from './commands/installation/rbac.ts';
import { rebindCommand } from './commands/installation/rebind.ts';
import { ringsCommand } from './commands/versions/rings.ts';
import { rotateCommand } from './commands/deploying/rotate.ts';
import { rollbackCommand } from './commands/versions/rollback.ts';
import { reportCommand } from './commands/versions/report.ts';
import { secretsCommand } from './commands/looking/secrets.ts';
import { shellCommand } from './commands/looking/shell.ts';
import { statusCommand } from './commands/deploying/status.ts';
import {
  abandonCommand,
  extendCommand,
  pauseCommand,
  resumeCommand,
  retryCommand,
  skipCommand,
} from './commands/deploying/steering.ts';
import { uiCommand } from './commands/looking/ui.ts';
import { upCommand } from './commands/installation/up.ts';
import { vaultCommand } from './commands/looking/vault.ts';
import { verifyCommand } from './commands/deploying/verify.ts';
import { watchCommand } from './commands/deploying/watch.ts';
import { workerCommand } from './commands/installation/worker.ts';
import { type CommandGroup, programOf } from './program.ts';
import type { Attempt, CliContext } from './shared/context.ts';
import { explain } from './shared/explain.ts';
import type { ExitCode } from './shared/failure.ts';
import { openTerminal, printLines, type Terminal } from './shared/terminal.ts';

const GROUPS: readonly CommandGroup[] = [
  [
    'Deploying:',
    [
      deployCommand,
      planCommand,
      attachCommand,
      cancelCommand,
      statusCommand,
      watchCommand,
      verifyCommand,
      rehearseCommand,
      exportCommand,
      approvalsCommand,
      approveCommand,
      rejectCommand,
      freezeCommand,
      adoptCommand,
      rotateCommand,
      destroyCommand,
    ],
  ],
  ['Steering what runs:', [pauseCommand, resumeCommand, retryCommand, skipCommand, extendCommand, abandonCommand]],
  [
    'Versions:',
    [historyCommand, auditCommand, diffCommand, reportCommand, rollbackCommand, promoteCommand, ringsCommand],
  ],
  ['Knowing the platform:', [catalogCommand, graphCommand, chartsCommand, envCommand, preflightCommand]],
  ['Keeping it as deployed:', [driftCommand, notifyCommand, backupCommand, restoreCommand, checkpointCommand]],
  [
    'Looking inside:',
    [
      explainCommand,
      shellCommand,
      doctorCommand,
      uiCommand,
      logsCommand,
      secretsCommand,
      vaultCommand,
      codecCommand,
      mcpCommand,
    ],
  ],
  [
    'What it runs on:',
    [
      upCommand,
      downCommand,
      nodeCommand,
      workerCommand,
      installCommand,
      nexusCommand,
      rbacCommand,
      rebindCommand,
      completionCommand,
    ],
  ],
];

/** @param onAttempt called with the command that is about to run */
export function buildProgram(context: CliContext, onAttempt: (attempt: Attempt) => void): Command {
  return programOf(GROUPS, context, onAttempt);
}

export interface CommandLine {
  /** Without node and the script. */
  args: readonly string[];
  config: Config;
  terminal: Terminal;
  /** Given, before anything runs, what the exit code is when whoever reads the output goes away. */
  watchOutput?: (exitCode: () => ExitCode | undefined) => void;
}

/** Runs it. The only place where errors become exit codes and text. */
export async function runCommandLine({ args, config, terminal, watchOutput }: CommandLine): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT_CODES.done;
  let attempt: Attempt = { command: args[0]?.startsWith('-') === false ? args[0] : '' };
  const { version } = JSON.parse(readFileSync(join(config.repoRoot, 'package.json'), 'utf8')) as { version: string };
  const context: CliContext = {
    config,
    terminal,
    version,
    finish: (code) => (exitCode = code),
    outputLost: EXIT_CODES.done,
    run: (other, elsewhere, folders = config) => runCommandLine({ args: other, config: folders, terminal: elsewhere }),
  };
  watchOutput?.(() => context.outputLost);
  const program = buildProgram(context, (next) => (attempt = next));
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    const explanation = explain(error, attempt);
    printLines(terminal.stderr, explanation.lines(terminal.errorStyle));
    return explanation.exitCode;
  }
}

/** Absent before Node 24.2, where nothing but a command line loads this file. */
const { main = true } = import.meta as { main?: boolean };
if (main) {
  keepLoopbackDirect();
  const config = readConfig();
  const exitCode = await runCommandLine({
    args: process.argv.slice(2),
    config,
    terminal: openTerminal(config),
    watchOutput: (code) => {
      watchOutput(code, EXIT_CODES.failed);
    },
  });
  await outputWritten();
  // Exits without waiting for connections that are still closing.
  process.exit(exitCode);
}
