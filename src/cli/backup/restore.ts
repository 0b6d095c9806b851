/**
 * `ananta restore`: in this process, since the engine may be what was lost. Read, compared, shown, confirmed, put back.
 */
import { readFile } from 'node:fs/promises';
import type { Clients } from '../../clients/index.ts';
import { parseKeys, type VaultKeys } from '../../clients/vault/keys.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { readIdentities } from '../../effects/backup/age.ts';
import { type BackupContent, readArchive } from '../../effects/backup/archive.ts';
import { keptAt } from '../../effects/backup/place/index.ts';
import { type KeptSource, sourceOf } from '../../effects/backup/place/source.ts';
import { restoreRecords } from '../../effects/backup/restore-records.ts';
import { openAgain, restoreVault } from '../../effects/backup/restore-vault.ts';
import { type RestoreSurvey, surveyForRestore } from '../../effects/backup/survey.ts';
import { commandScope } from '../../effects/effect.ts';
import { onRecord } from '../../effects/records/on-record.ts';
import { configureVault } from '../../effects/vault/configure.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { platformName } from '../../environment/platform-folder.ts';
import type { Environment } from '../../environment/schema.ts';
import { planRestore, type RestorePlan } from '../../plan/backup/restore.ts';
import { digestOf } from '../../plan/digest.ts';
import { checkName, confirmByName } from '../shared/confirm.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine, count } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import { requireNobodyAtWork } from './at-work.ts';
import type { RestoreOptions } from './options.ts';
import { isNothing, manifestLines, restoreLines } from './words.ts';

export async function runRestore(context: CliContext, file: string, options: RestoreOptions): Promise<ExitCode> {
  const { config, terminal } = context;
  const environment = await loadEnvironment(options.env, config);
  const { name } = environment;
  if (!options.dryRun)
    checkName({
      name,
      confirm: options.confirm,
      interactive: terminal.interactive,
      needed: true,
      what: `Restoring "${name}"`,
      again: again(file, options, ['--confirm', name]),
      after: 'after you have read what --dry-run shows',
    });
  const identities = await readIdentities(options.identity);
  const read = async (source: KeptSource): Promise<BackupContent> => {
    const content = await readArchive(source, identities);
    requireSame(content, environment);
    return content;
  };
  // Before anything is started, where it can be read without.
  const here = file.startsWith('s3://') ? undefined : await read(sourceOf(file));
  const { withLiveClients } = await import('../shared/clients.ts');
  return withLiveClients(context, environment, async (clients, signal) => {
    const source = keptAt(clients, file, signal);
    const backup = here ?? (await read(source));
    const keys = await keysFor(clients, backup, options, signal);
    const look = async (): Promise<RestoreSurvey & { plan: RestorePlan }> => {
      const survey = await surveyForRestore(clients, keys !== undefined, signal);
      return { ...survey, plan: planRestore(backup, survey.seen, options.part) };
    };
    const first = await look();
    let { plan, found } = first;
    const { clusterUid } = first.seen;
    const say = (lines: string[]): void => printLines(options.json ? terminal.stderr : terminal.stdout, lines);
    say([...manifestLines(backup.manifest), '', `What will be done on ${name}:`, ...restoreLines(plan), '']);
    requireAllowed(plan, file, options);
    const { at } = backup.manifest;
    if (isNothing(plan)) return ended(at, { changed: false, records: [], vault: 'none' });
    if (options.dryRun) return EXIT_CODES.changes;
    await requireNobodyAtWork(clients, name, clusterUid);
    if (options.confirm === undefined)
      await confirmByName(name, `This puts the state of ${backup.manifest.at} back.`, signal);
    const scope = commandScope(signal, (text) => printLines(terminal.stderr, [`  ${text}`]));
    const run = {
      environment: name,
      imageTags: {},
      clusterUid,
      workflowId: `restore/${name}`,
      runId: backup.manifest.at,
    };
    const { vault: wanted } = backup.manifest;
    let vault: RestorePlan['vault']['action'] = 'none';
    const putBack = async (): Promise<string[]> => {
      if (plan.vault.action === 'finish') {
        await openAgain(clients, { keys }, scope);
        await configureVault(clients, run, scope, { anew: true });
        vault = 'finish';
        ({ plan, found } = await look());
        requireAllowed(
          plan,
          file,
          options,
          'Vault was opened and configured for this cluster, and nothing else was touched',
        );
      }
      if (plan.vault.action === 'restore' && wanted !== undefined) {
        await restoreVault(clients, { file: source, identities, wanted, keys, run }, scope);
        vault = 'restore';
      }
      return restoreRecords(clients, plan.records, backup.records, found, signal);
    };
    const digest = digestOf(backup.manifest);
    const records = await onRecord(clients, { environment: name, clusterUid, operation: 'restore', digest }, putBack);
    return ended(at, { changed: true, records, vault });
  });

  function ended(
    at: string,
    result: { changed: boolean; records: string[]; vault: RestorePlan['vault']['action'] },
  ): ExitCode {
    printLines(
      terminal.stdout,
      options.json
        ? [JSON.stringify({ environment: name, at, ...result })]
        : result.changed
          ? [
              `Restored ${name} to ${at}: ${count(result.records.length, 'record')}${result.vault === 'restore' ? ', Vault' : ''}.`,
              `${terminal.style('bold', 'Next:')} ${commandLine('deploy', '--env', name)}   (Secrets and pods follow what Vault holds)`,
            ]
          : ['Everything is as in the backup, or newer: nothing to do.'],
    );
    return EXIT_CODES.done;
  }
}

/** @throws CliError (refused): another environment's, or another platform's */
function requireSame({ manifest }: BackupContent, environment: Environment): void {
  if (manifest.environment !== environment.name)
    throw refused(
      `The backup is of environment "${manifest.environment}", not of "${environment.name}".`,
      `Name the environment that it is of: --env ${manifest.environment}`,
    );
  const platform = platformName(environment);
  if (manifest.platform !== platform)
    throw refused(`The backup is of platform "${manifest.platform}", and "${environment.name}" deploys "${platform}".`);
}

/** @returns unseal keys for the Vault in the backup, where they were given or are encrypted to people */
async function keysFor(
  { kubernetes, redactor, vault }: Pick<Clients, 'kubernetes' | 'redactor' | 'vault'>,
  { shares }: BackupContent,
  { keys: path }: RestoreOptions,
  signal: AbortSignal,
): Promise<VaultKeys | undefined> {
  const text =
    path === undefined
      ? shares
      : await readFile(path, 'utf8').catch((error: unknown) => {
          throw refused(
            `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`,
            'Name your copy of vault-keys.json.',
          );
        });
  // Of a Vault that has lost its data the keys are still here, until it is initialised.
  const lost = text === undefined && (await vault.state(signal)).state === 'uninitialized';
  const found =
    text === undefined ? lost && (await vault.keys.read()) : parseKeys(text, path ?? 'the backup', redactor);
  if (!found) return undefined;
  const { rootToken: _old, ...keys } = found;
  return { ...keys, cluster: await kubernetes.clusterUid(signal) };
}

/** @throws CliError (refused) with the whole command that says it in words */
export function requireAllowed(
  { needs, problems }: RestorePlan,
  file: string,
  options: RestoreOptions,
  touched = 'nothing was touched',
): void {
  const given = new Set<string>(options.over ?? []);
  const missing = [...new Set(needs.map(({ over }) => over))].filter((over) => !given.has(over));
  if (missing.length === 0 && problems.length === 0) return;
  const why = [...problems, ...needs.filter(({ over }) => !given.has(over)).map(({ why: text }) => text)];
  throw refused(
    `Not restored, ${touched}: ${why.join('; ')}.`,
    ...(missing.length === 0
      ? []
      : [
          `${again(
            file,
            options,
            missing.flatMap((over) => ['--over', over]),
          )}   (only if that is what you want)`,
        ]),
  );
}

function again(file: string, { env, identity, part, over = [], keys }: RestoreOptions, more: string[]): string {
  return commandLine(
    'restore',
    file,
    '--env',
    env,
    '--identity',
    identity,
    ...(part === undefined ? [] : ['--part', part]),
    ...over.flatMap((one) => ['--over', one]),
    ...(keys === undefined ? [] : ['--keys', keys]),
    ...more,
  );
}
