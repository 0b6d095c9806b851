/** A person types a name before something that cannot be taken back. */
import { createInterface } from 'node:readline/promises';
import { refused } from './failure.ts';

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
