/** HTTP headers in a file of their own, since what they hold opens something. */
import { DeployError } from '../contract/errors.ts';
import { FAILURES } from '../contract/failures.ts';

/**
 * One `Name: value` a line; empty lines and those with # are left out.
 * @param field of the environment's file that names it @throws DeployError without the line, which may hold a token
 */
export function headersOf(text: string, field: string): Record<string, string> {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      if (at < 1) throw new DeployError(FAILURES.invalidInput, `A line of ${field} is not "Name: value"`);
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}
