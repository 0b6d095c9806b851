/** Plan files: written for this user alone, read with distrust. */
import { readFile } from 'node:fs/promises';
import { type PlanFile, PLAN_FILE_FORMAT, PLAN_FILE_VERSION, planFileSchema } from '../../plan/diff/file.ts';
import { writeFileDurably } from '../../process/files.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';

/** @throws CliError (refused) when it cannot be written */
export async function writePlanFile(path: string, file: PlanFile): Promise<void> {
  await writeText(path, `${JSON.stringify(planFileSchema.parse(file), undefined, 2)}\n`, '--out plan.json');
}

/** @throws CliError (refused) when it cannot be written */
export async function writeText(path: string, text: string, example: string): Promise<void> {
  try {
    await writeFileDurably(path, text);
  } catch (error) {
    throw refused(
      `${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      `Name a file in a folder that you may write to, as in ${example}`,
    );
  }
}

/**
 * What is in it, still unchecked. @param again makes a new one. @throws CliError (refused) when it is missing or no
 * JSON
 */
export async function readPlanJson(path: string, again: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    throw refused(`The plan ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, again);
  }
}

/** @throws CliError (refused) when it is missing, no plan, or of another version or environment */
export async function readPlanFile(path: string, environment: string): Promise<PlanFile> {
  const again = `${commandLine('plan', '--env', environment, '--out', path)}   (makes a new one)`;
  const value = await readPlanJson(path, again);
  const { format, version } =
    typeof value === 'object' && value !== null ? (value as { format?: unknown; version?: unknown }) : {};
  if (format !== PLAN_FILE_FORMAT)
    throw refused(`${path} is not a plan file: it does not say "format": "${PLAN_FILE_FORMAT}".`, again);
  if (version !== PLAN_FILE_VERSION)
    throw refused(
      `The plan ${path} is of version ${JSON.stringify(version)}; this program reads version ${PLAN_FILE_VERSION}.`,
      again,
    );
  const parsed = planFileSchema.safeParse(value);
  if (!parsed.success) {
    throw refused(
      `The plan ${path} is damaged: ${parsed.error.issues
        .slice(0, 3)
        .map(({ path: at, message }) => `${at.join('.')}: ${message}`)
        .join('; ')}`,
      again,
    );
  }
  if (parsed.data.environment !== environment) {
    throw refused(
      `The plan ${path} is for environment "${parsed.data.environment}", not for "${environment}".`,
      commandLine('deploy', '--env', parsed.data.environment, '--plan', path),
    );
  }
  return parsed.data;
}
