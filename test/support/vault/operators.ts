/** People with OpenPGP keys of their own, as gpg makes and uses them. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const GPG = process.env['PATH']
  ?.split(delimiter)
  .map((folder) => join(folder, 'gpg'))
  .find((path) => existsSync(path));

export interface Operators {
  /** Files with their public keys, in the order of their names. */
  publicKeys: string[];
  /** What the owner of the message reads in it. @param message base64 */
  decrypt: (message: string) => Promise<string>;
  close: () => Promise<void>;
}

export async function operators(names: readonly string[]): Promise<Operators> {
  // The agent's socket has to have a short path.
  const folder = await mkdtemp(join(tmpdir(), 'gpg-'));
  const home = join(folder, 'h');
  await mkdir(home, { mode: 0o700 });
  const gpg = async (...args: string[]): Promise<Buffer> =>
    (
      await run(
        GPG ?? 'gpg',
        ['--batch', '--quiet', '--homedir', home, '--pinentry-mode', 'loopback', '--passphrase', '', ...args],
        { encoding: 'buffer' },
      )
    ).stdout;
  const publicKeys: string[] = [];
  for (const name of names) {
    // Curves, as newer versions make by default; the older one's RSA takes seconds of a processor.
    await gpg('--quick-generate-key', name, 'future-default', 'default', 'never');
    publicKeys.push(join(folder, `${name}.asc`));
    await writeFile(join(folder, `${name}.asc`), await gpg('--armor', '--export', name));
  }
  return {
    publicKeys,
    decrypt: async (message) => {
      await writeFile(join(folder, 'message'), Buffer.from(message, 'base64'));
      return (await gpg('--decrypt', join(folder, 'message'))).toString('utf8');
    },
    close: async () => {
      await run('gpgconf', ['--homedir', home, '--kill', 'all']).catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
