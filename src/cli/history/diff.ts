/** `ananta diff N [M]`. */
import { diffVersions } from '../../effects/versions/diff.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { HistoryOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { diffJson, diffLines } from '../render/version-diff.ts';
import { printLines } from '../shared/terminal.ts';
import { withVersions } from './read.ts';

export async function runDiff(
  context: CliContext,
  from: number,
  to: number | undefined,
  options: HistoryOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const diff = await withVersions(context, options.env, (clients, { name }) => diffVersions(clients, name, from, to));
  printLines(terminal.stdout, options.json ? [JSON.stringify(diffJson(diff))] : diffLines(diff, terminal.style));
  return diff.releases.length === 0 ? EXIT_CODES.done : EXIT_CODES.changes;
}
