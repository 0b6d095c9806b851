/** Entry for shells: `node complete.ts WORD…`, the last one at the cursor. Says nothing where it knows nothing. */
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../config.ts';
import { DEFAULT_ENVIRONMENT } from '../shared/default-environment.ts';
import { answer } from './answer.ts';
import { cached } from './cache.ts';
import { namesOf } from './names.ts';
import type { CompletionCommand } from './tree.ts';

const config = readConfig();
try {
  const commands = fileURLToPath(new URL('..', import.meta.url));
  const tree = await cached(config, 'commands', [commands], readTree);
  const refresh = fileURLToPath(new URL('versions.ts', import.meta.url));
  const found = await answer(tree, process.argv.slice(2), namesOf(config, refresh), DEFAULT_ENVIRONMENT);
  const lines = found === 'files' ? [':files'] : found.map(({ value, description }) => `${value}\t${description}`);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
} catch {
  // Errors are not printed at a prompt; the command itself reports them.
}

async function readTree(): Promise<CompletionCommand> {
  const [{ buildProgram }, { treeOf }, { openTerminal }] = await Promise.all([
    import('../main.ts'),
    import('./tree.ts'),
    import('../shared/terminal.ts'),
  ]);
  const context = {
    config,
    terminal: openTerminal(config),
    version: '',
    finish: () => undefined,
    outputLost: undefined,
    // Commands are looked at, none is run.
    run: () => Promise.reject(new Error('Completion runs no command')),
  };
  return treeOf(buildProgram(context, () => undefined));
}
