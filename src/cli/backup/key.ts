/** `ananta backup key`. */
import { open } from 'node:fs/promises';
import { makeKeyPair } from '../../effects/backup/age.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { printLines } from '../shared/terminal.ts';
import type { BackupKeyOptions } from './options.ts';

/** @throws CliError (refused) when the file is there: it may hold the key of backups */
export async function makeBackupKey({ terminal }: CliContext, { out, json }: BackupKeyOptions): Promise<void> {
  const { identity, recipient } = await makeKeyPair();
  const file = await open(out, 'wx', 0o600).catch((error: unknown) => {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw code === 'EEXIST'
      ? refused(`${out} is there already, and a key is never written over.`, 'Name another file.')
      : refused(`${out} cannot be written (${code}).`, 'Name a file in a folder that exists.');
  });
  try {
    await file.writeFile(`# created: ${new Date().toISOString()}\n# public key: ${recipient}\n${identity}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  printLines(
    terminal.stdout,
    json
      ? [JSON.stringify({ file: out, recipient })]
      : [
          `Private key: ${out}. Keep it away from the cluster and from this machine: without it no backup can be read.`,
          'For the environment:',
          '',
          'backup:',
          `  recipients: [${recipient}]`,
        ],
  );
}
