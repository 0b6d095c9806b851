/** A person types a name before something that cannot be taken back. */
import { createInterface } from 'node:readline/promises';
import { refused } from './failure.ts';

export interface NameCheck {
  /** The environment's. */
  name: string;
  /** As given with --confirm. */
  confirm: string | undefined;
  interactive: boolean;
  /** Whether somebody has to confirm it at all. */
  needed: boolean;
  /** What has to be confirmed: `Taking down "dev"`. */
  what: string;
  /** The command with its confirmation. */
  again: string;
  /** When to call that. */
  after?: string;
}

/**
 * Before anything is asked or loaded.
 * @throws CliError (refused) when --confirm names another environment, or nobody can be asked for a name that is needed
 */
export function checkName(check: NameCheck): void {
  const { name, confirm, interactive, needed, what, again, after = 'after you have made sure' } = check;
  if (confirm !== undefined && confirm !== name)
    throw refused(`--confirm ${confirm} does not name the environment "${name}".`, again);
  if (needed && confirm === undefined && !interactive)
    throw refused(`${what} has to be confirmed, and there is no terminal to ask on.`, `${again}   (${after})`);
}

/**
 * @param warning a sentence: what will happen
 * @throws CliError (refused) when something else is typed; Interrupted when the signal comes first
 */
export async function confirmByName(name: string, warning: string, signal?: AbortSignal): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Readline takes Ctrl-C for itself.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const answer = await lines.question(`${warning} Type ${name} to go on: `, signal ? { signal } : {});
    if (answer.trim() !== name) throw refused('The name did not match.');
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}
