import type { Command } from 'commander';
import type {
  CheckpointListOptions,
  CheckpointCreateOptions,
  CheckpointReadOptions,
  CheckpointRestoreOptions,
} from '../../checkpoint/options.ts';
import { environmentCommand, plainCommand, REQUIRED_ENVIRONMENT } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';

const IDENTITY = ['--identity <file>', 'private key of one of backup.recipients; for a dump'] as const;
const FILE = ['--file <file>', 'where it lies here, when that is not where it was written'] as const;

export function checkpointCommand(context: CliContext): Command {
  const list = environmentCommand('list', {
    summary: 'checkpoints of databases, the newest first',
    description: `What was dumped of which database, when, before which migration, how large it is and where it lies. The records are in
the cluster; no key is needed, and nothing is opened.`,
    examples: [['checkpoint list --env staging', 'What a database can go back to.']],
  })
    .option('--json', 'an array on standard output')
    .action(async (options: CheckpointListOptions) => {
      const { listCheckpoints } = await import('../../checkpoint/list.ts');
      await listCheckpoints(context, options);
    });
  const create = environmentCommand('create', {
    summary: 'dump a database now',
    changesHere: true,
    description: `As a deployment does it before a migration that cannot be taken back: pg_dump in the server's own pod, encrypted on its way
into checkpoints.to or backup.to for backup.recipients (or VolumeSnapshots, where the catalog says so), recorded in the cluster. The database is not changed. The newest backup.keep of each
database stay.`,
    examples: [['checkpoint create SERVER/DATABASE --env staging', 'By the names that the catalog has.']],
  })
    .argument('<database>', 'SERVER/NAME, as the catalog has it')
    .option('--json', 'its record as one JSON object on standard output')
    .action(async (database: string, options: CheckpointCreateOptions) => {
      const { createCheckpoint } = await import('../../checkpoint/create.ts');
      await createCheckpoint(context, database, options);
    });
  const verify = environmentCommand('verify', {
    summary: 'restore a checkpoint beside the live database, count its rows, drop it',
    changesHere: true,
    description: `Checks file and sum, restores the dump into a database of its own on the same server, counts the rows of every table there
and in the live database, and drops it. The live database is only read. Of snapshots of volumes it looks whether they are there and
ready. Exit code 3: the file is damaged, or for another key; a snapshot is gone.`,
    examples: [
      ['checkpoint verify 1a2b3c4d5e6f --env staging --identity backup-key.txt', 'CHECKPOINT, as "list" names it.'],
    ],
  })
    .argument('<checkpoint>', 'its id, as "list" shows it; or "latest"')
    .option(...IDENTITY)
    .option(...FILE)
    .option('--json', 'one JSON object on standard output')
    .action(async (id: string, options: CheckpointReadOptions) => {
      const { verifyCheckpoint } = await import('../../checkpoint/restore.ts');
      await verifyCheckpoint(context, id, options);
    });
  const restore = plainCommand('restore', {
    summary: 'put a checkpoint in the place of the live database',
    changesHere: true,
    description: `Restores the dump beside the live database, counts both, says which rows go and which come back, asks for the
environment's name, and swaps the two in one transaction. The live database stays under another name, closed: nothing is lost.
Clients are cut off for that moment. Run again, it does nothing as long as every table holds the same rows; where they were
written to since, it says so, and asks or wants --again. One that was interrupted goes on.

Of snapshots of volumes it makes claims beside the live ones, which are not touched: what to do with them is said.

To go back over a migration that cannot be taken back: this first, then "rollback --past-no-return".`,
    examples: [['checkpoint restore latest --env staging --identity backup-key.txt', 'Shows what goes, and asks.']],
  })
    .argument('<checkpoint>', 'its id, as "list" shows it; or "latest"')
    .requiredOption(...REQUIRED_ENVIRONMENT)
    .option(...IDENTITY)
    .option(...FILE)
    .option('--again', 'once more, although it was put back before and has been written to since')
    .option('--confirm <name>', 'the name of the environment, where nobody can be asked')
    .option('--json', 'one JSON object on standard output')
    .action(async (id: string, options: CheckpointRestoreOptions) => {
      const { restoreCheckpoint } = await import('../../checkpoint/restore.ts');
      await restoreCheckpoint(context, id, options);
    });
  return plainCommand('checkpoint', {
    summary: 'states of databases, kept before migrations that cannot be taken back',
    description: `Where the catalog says so and the environment has a place for it (backup), a deployment dumps a database right before a
migration that is marked as a point of no return.`,
    examples: [],
  })
    .usage('COMMAND [options]')
    .helpCommand(false)
    .addCommand(list)
    .addCommand(create)
    .addCommand(verify)
    .addCommand(restore);
}
