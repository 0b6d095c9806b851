import { type Command, InvalidArgumentError, Option } from 'commander';
import { BACKUP_PARTS } from '../../../contract/backup.ts';
import { RESTORE_OVER, type RestoreOver } from '../../../plan/backup/restore.ts';
import { collectText, shortened } from '../../shared/arguments.ts';
import { environmentCommand, plainCommand, REQUIRED_ENVIRONMENT } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type {
  BackupKeyOptions,
  BackupOptions,
  ListOptions,
  RestoreOptions,
  VerifyOptions,
} from '../../backup/options.ts';

const part = (): Option =>
  new Option('--part <part>', 'only this part: vault or records; default: both').choices(BACKUP_PARTS);
const IDENTITY = [
  '--identity <file>',
  'private key of one of the recipients, as age-keygen or "backup key" wrote it',
] as const;

export function backupCommand(context: CliContext): Command {
  const key = plainCommand('key', {
    summary: 'make the pair of keys for backups',
    description: `Backups are encrypted with age for public keys, which stand in the environment's file (backup.recipients). This makes a
pair: the private key goes into a file of mode 0600, the public one is printed. Keep the file where the loss of the
cluster and of this machine does not reach it: without it no backup can be read. A pair of age-keygen does as well.`,
    examples: [['backup key --out backup-key.txt', 'Writes the private key, prints the line for the environment.']],
  })
    .requiredOption('--out <file>', 'file for the private key; it must not be there yet')
    .option('--json', 'one JSON object on standard output; never the private key')
    .action(async (options: BackupKeyOptions) => {
      const { makeBackupKey } = await import('../../backup/key.ts');
      await makeBackupKey(context, options);
    });
  const list = environmentCommand('list', {
    summary: 'the backups in the folder or bucket of the environment',
    description: 'Names, times and sizes, the newest first; nothing is opened, and no key is needed.',
    examples: [['backup list --env prod', 'What there is in backup.to.']],
  })
    .option('--in <folder>', 'another folder than backup.to')
    .option('--json', 'an array on standard output')
    .action(async (options: ListOptions) => {
      const { listBackups } = await import('../../backup/list.ts');
      await listBackups(context, options);
    });
  const verify = plainCommand('verify', {
    summary: 'read a backup to its end and check every sum in it',
    description: `Decrypts the file, compares every record and Vault's snapshot with the sums in its manifest, and the snapshot with
raft's own sums. Needs no cluster; one that lies in a bucket (s3://BUCKET/NAME) needs --env. Exit code 3: it is damaged, cut off, or encrypted for another key.`,
    examples: [
      ['backup verify ananta-prod-20261130T023000Z.tar.age --identity backup-key.txt', 'Is it whole?'],
      ['backup verify s3://backups/prod/ananta-prod-20261130T023000Z.tar.age --identity backup-key.txt --env prod', ''],
    ],
  })
    .argument('<file>', 'a backup: a file, or s3://BUCKET/NAME')
    .requiredOption(...IDENTITY)
    .option('--env <name>', 'the environment that names the bucket')
    .option('--json', 'its manifest as one JSON object on standard output')
    .action(async (file: string, options: VerifyOptions) => {
      const { verifyBackup } = await import('../../backup/verify.ts');
      await verifyBackup(context, file, options);
    });
  return environmentCommand('backup', {
    summary: 'back up what the deployer itself needs: Vault, versions, accepted drift, whose cluster it is',
    description: `One encrypted file with a snapshot of Vault (as Vault itself gives it out, sealed) and the records of ananta-system:
platform versions, accepted drift, audit trail, whose cluster it is. With what "backup.recipients" of the environment's file
names, or --recipient. Never in it: unseal keys in clear (keep vault-keys.json, or your shares, yourself), data of the
platform's databases, the engine's histories (nothing depends on them). Nothing in the cluster is changed.

A worker makes one by itself where the file says backup.cron.`,
    examples: [
      ['backup --env prod', 'Into backup.to.'],
      [
        'backup --env sandbox --to /tmp/sandbox.tar.age --recipient age1…',
        'Into a file, for a key that stands nowhere.',
      ],
      ['backup --env prod --part records --json', 'Without Vault.'],
    ],
  })
    .usage('[options] | COMMAND [options]')
    .helpCommand(false)
    .option('--to <place>', 'a file, or a folder; default: backup.to of the environment')
    .option('--recipient <key>', 'public key of age in place of backup.recipients; may be repeated', collectText)
    .addOption(part())
    .option('--json', 'one JSON object on standard output')
    .action(async (options: BackupOptions) => {
      const { runBackup } = await import('../../backup/backup.ts');
      await runBackup(context, options);
    })
    .addCommand(key)
    .addCommand(list)
    .addCommand(verify);
}

export function restoreCommand(context: CliContext): Command {
  return plainCommand('restore', {
    summary: 'put a backup of Vault and the records back',
    changesHere: true,
    description: `Reads the backup to its end first, compares it with what runs, says what will be done, and asks for the environment's
name. What is there already is left alone; run again, it does nothing, and one that was interrupted goes on. Refused where
it would write over what is newer than the backup, over another Vault or on another cluster, until --over says so.

Vault has to run for its snapshot. In a new cluster: "deploy --only vault" first, then this with --keys, then "deploy".
Nothing is restored while an operation holds the lock. Data of the platform's databases are no part of it.`,
    examples: [
      [
        'restore ananta-prod-20261130T023000Z.tar.age --env prod --identity backup-key.txt',
        'Shows the plan, and asks.',
      ],
      [
        'restore FILE --env prod --identity backup-key.txt --over another-vault --over another-cluster --keys vault-keys.json --confirm prod',
        'Into a new cluster, in a script.',
      ],
    ],
  })
    .argument('<file>', 'a backup: a file, or s3://BUCKET/NAME')
    .requiredOption(...REQUIRED_ENVIRONMENT)
    .requiredOption(...IDENTITY)
    .addOption(part())
    .option('--over <what>', 'write over what is newer, another-vault, another-cluster; may be repeated', collectOver)
    .option(
      '--keys <file>',
      'copy of vault-keys.json: unseal keys of the Vault in the backup, where they are not kept here',
    )
    .option('--dry-run', 'show the plan and change nothing (exit code 2 where there is something to do)')
    .option('--confirm <name>', 'the name of the environment, where nobody can be asked')
    .option('--json', 'one JSON object on standard output')
    .action(async (file: string, options: RestoreOptions) => {
      const { runRestore } = await import('../../backup/restore.ts');
      context.finish(await runRestore(context, file, options));
    });
}

/** @throws InvalidArgumentError */
function collectOver(text: string, before: readonly RestoreOver[] = []): RestoreOver[] {
  const over = RESTORE_OVER.find((one) => one === text);
  if (over === undefined) throw new InvalidArgumentError(`"${shortened(text)}" is none of ${RESTORE_OVER.join(', ')}.`);
  return [...before, over];
}
