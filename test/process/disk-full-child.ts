/**
 * What happens on a full disk: run by disk-full.test.ts with a folder on a small file system of its own. What it finds
 * goes to standard output as JSON.
 */
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createRedactor } from '../../src/clients/redact.ts';
import { explain } from '../../src/cli/shared/explain.ts';
import { asFailure } from '../../src/activities/failures.ts';
import { writeFileDurably } from '../../src/process/files.ts';
import { withFakeHelm } from '../support/fakes/helm.ts';

const disk = process.argv[2] ?? '';
const filler = join(disk, 'filler');

async function fill(): Promise<void> {
  const file = await open(filler, 'a');
  try {
    for (let bytes = 4096; bytes > 0; ) {
      const { bytesWritten } = await file.write(Buffer.alloc(bytes)).catch(() => ({ bytesWritten: 0 }));
      if (bytesWritten < bytes) bytes = Math.floor(bytes / 2);
    }
  } finally {
    await file.close();
  }
}

const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

const kept = join(disk, 'state', 'vault-keys.json');
await writeFileDurably(kept, 'what was there');
await mkdir(join(disk, 'logs', 'helm'), { recursive: true });
await withFakeHelm(
  async ({ client, request, folder, behave }) => {
    // The log is there already, as after every release before.
    await client.upgrade(request('web'));
    await fill();
    const error = await failureOf(writeFileDurably(kept, 'x'.repeat(64 * 1024)));
    const command = explain(error, { command: 'deploy' });
    const afterFailure = { content: await readFile(kept, 'utf8'), files: await readdir(join(disk, 'state')) };

    await rm(join(folder, 'order'));
    const values = `value: ${'x'.repeat(20_000)}\n`;
    const helmError = await failureOf(client.upgrade(request('web', { values })));
    const helm = {
      started: existsSync(join(folder, 'order')),
      message: helmError instanceof Error ? asFailure(helmError, createRedactor(), false).message : undefined,
    };

    // What Helm itself can no longer write: its last words, and who it is.
    await rm(filler);
    await behave('api', `dd if=/dev/zero of=${filler} bs=4096 2> /dev/null; yes words | head -c 10000`);
    const mute = await failureOf(client.upgrade(request('api')));
    const records = await readdir(join(disk, 'state', 'run', 'helm')).catch(() => []);

    await rm(filler);
    await behave('api', 'true');
    const next = [await client.upgrade(request('web', { values })), await client.upgrade(request('api'))];
    await writeFileDurably(kept, 'y'.repeat(1024));
    process.stdout.write(
      JSON.stringify({
        command: { code: command.exitCode, message: command.message },
        afterFailure,
        helm,
        mute: mute instanceof Error ? mute.message : 'done',
        records,
        next: next.map(({ revision }) => revision),
        written: (await readFile(kept, 'utf8')).length,
      }),
    );
  },
  { stateDir: join(disk, 'state') },
);
