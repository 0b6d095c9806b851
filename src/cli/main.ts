/** Entry: `node src/cli/main.ts COMMAND …`. Commands load what they need when they run, so that help comes at once. */
import { keepLoopbackDirect, readConfig } from '../config.ts';
import { EXIT_CODES } from '../contract/failures.ts';
import { outputWritten, watchOutput } from '../process/output.ts';
import { runCommandLine } from './command-line.ts';
import { openTerminal } from './shared/terminal.ts';

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
// Connections that are still closing do not hold the prompt back.
process.exit(exitCode);
