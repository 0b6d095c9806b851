/** `ananta history [N]`. */
import { chosen } from '../../effects/plan/rollback.ts';
import { damagedRecords } from '../../effects/release/readable.ts';
import { readVersions } from '../../effects/versions/store.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { HistoryOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { historyJson, historyLines, versionJson, versionLines } from '../render/history.ts';
import { printLines } from '../shared/terminal.ts';
import { withVersions } from './read.ts';

export async function runHistory(
  context: CliContext,
  wanted: number | undefined,
  options: HistoryOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  await withVersions(context, options.env, async ({ kubernetes, catalog }, { name, history }) => {
    const [versions, damaged] = await Promise.all([
      readVersions(kubernetes, name),
      damagedRecords(
        kubernetes,
        catalog.namespaces.map((namespace) => namespace.name),
      ),
    ]);
    // Standard output is the list's own.
    printLines(
      terminal.stderr,
      damaged.flatMap((text) => text.split('\n')),
    );
    if (wanted === undefined) {
      printLines(
        terminal.stdout,
        options.json
          ? [JSON.stringify(historyJson(versions))]
          : historyLines(name, versions, {
              keep: history.versions,
              columns: terminal.stdout.columns ?? 120,
              style: terminal.style,
            }),
      );
      return;
    }
    const version = chosen(name, versions, wanted);
    printLines(
      terminal.stdout,
      options.json ? [JSON.stringify(versionJson(version, versions))] : versionLines(version, versions, terminal.style),
    );
  });
  return EXIT_CODES.done;
}
