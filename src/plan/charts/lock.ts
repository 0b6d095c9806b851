/**
 * The lock of the publishers' charts: which archive is meant by a version, whatever a repository serves under it later.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import type { Config } from '../../config.ts';
import { helmFolder } from '../../environment/platform-folder.ts';
import type { Environment } from '../../environment/schema.ts';

export const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'has to be sha256: and 64 hex characters');

const lockSchema = z.strictObject({
  /** By the chart's key in the catalog. */
  charts: z.record(
    z.string(),
    z.strictObject({
      version: z.string(),
      /** Of the archive, as the repository's index or the registry's manifest gives it. */
      digest: digestSchema,
      /** Where it came from when it was locked. */
      source: z.string(),
    }),
  ),
});
export type ChartLock = z.infer<typeof lockSchema>;

/** The lock cannot be read. */
export class ChartLockError extends AnantaError {
  override name = 'ChartLockError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[] = [
    "Take the file from the repository's history, or write it anew: npm run ananta -- charts lock",
  ];
}

const HEAD = `# The archives of the publishers' charts that are installed with charts: upstream. A chart whose digest differs is refused.
# Written by \`npm run ananta -- charts lock\`; read the difference before you commit it. See docs/look-up/upstream-charts.md.
`;

/** Absolute path of an environment's lock. */
export function chartLockFile(
  environment: Partial<Pick<Environment, 'chartLock'>> & Pick<Environment, 'platform'>,
  config: Pick<Config, 'repoRoot'>,
): string {
  return environment.chartLock === undefined
    ? join(helmFolder(environment, config), 'charts.lock.yaml')
    : resolve(config.repoRoot, environment.chartLock);
}

/**
 * @returns an empty lock when there is no such file
 * @throws ChartLockError naming file and field
 */
export async function readChartLock(path: string): Promise<ChartLock> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { charts: {} };
    throw error;
  }
  let tree: unknown;
  try {
    tree = parse(text);
  } catch (error) {
    throw new ChartLockError(`${path} is not valid YAML: ${(error as Error).message}`, { cause: error });
  }
  const parsed = lockSchema.safeParse(tree);
  if (!parsed.success)
    throw new ChartLockError(
      `${path}: ${parsed.error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`).join('; ')}`,
    );
  return parsed.data;
}

/** As it is committed: charts in alphabetical order. */
export function writtenLock(lock: ChartLock): string {
  const charts = Object.fromEntries(Object.entries(lock.charts).sort(([a], [b]) => (a < b ? -1 : 1)));
  return HEAD + stringify({ charts }, { lineWidth: 0 });
}
