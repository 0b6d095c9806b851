/** `ananta completion`: prints the script that a shell reads. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CliContext } from '../shared/context.ts';
import { completionScript, type ShellName } from './scripts.ts';

export function printCompletion({ config, terminal }: CliContext, shell: ShellName): void {
  terminal.stdout.write(
    completionScript(shell, {
      node: process.execPath,
      complete: fileURLToPath(new URL('complete.ts', import.meta.url)),
      launcher: join(config.repoRoot, 'launcher.mjs'),
      compileCache: join(config.repoRoot, '.ananta', 'cache', 'node'),
    }),
  );
}
