/** `ananta export`: what is deployed, as a file from which a rehearsal can begin. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EXIT_CODES } from '../../contract/failures.ts';
import { exportText } from '../../plan/rehearsal/export.ts';
import { withVersions } from '../history/read.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { printLines } from '../shared/terminal.ts';
import type { ExportOptions } from './options.ts';

/** @throws CliError (refused) for a version that is not kept */
export async function runExport(
  context: CliContext,
  version: number | undefined,
  { env, out }: ExportOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const { readExport } = await import('../../effects/rehearsal/export.ts');
  const found = await withVersions(context, env, (clients) => readExport(clients, version));
  const text = `${JSON.stringify(found, undefined, 1)}\n`;
  if (out === '-') {
    terminal.stdout.write(text);
    return EXIT_CODES.done;
  }
  await writeFile(resolve(out), text);
  printLines(terminal.stdout, [
    `${resolve(out)}: ${exportText(found)}; ${found.releases.length} releases, ${found.objects.length} objects besides.`,
  ]);
  return EXIT_CODES.done;
}
