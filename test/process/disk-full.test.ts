/** A disk that is full, as a small file system in a mount namespace of its own. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { execa } from 'execa';

/** As root; elsewhere as root of a user namespace, where the machine lets everybody have one. */
const WAYS = [['--mount'], ['--user', '--map-root-user', '--mount']];

async function namespace(): Promise<string[] | undefined> {
  for (const way of WAYS) {
    const command = ['sh', '-c', 'mount -t tmpfs none /mnt'];
    if ((await execa('unshare', [...way, ...command], { reject: false })).exitCode === 0) return way;
  }
  return undefined;
}

const way = process.platform === 'linux' ? await namespace() : undefined;

test('a full disk is named; nothing is cut off or started without its input; with room it goes on', {
  skip: way === undefined && 'needs a mount namespace',
}, async () => {
  const disk = await mkdtemp(join(tmpdir(), 'disk-full-'));
  try {
    const child = join(import.meta.dirname, 'disk-full-child.ts');
    const script = 'mount -t tmpfs -o size=256k none "$0" && exec "$1" --disable-warning=ExperimentalWarning "$2" "$0"';
    const { stdout } = await execa('unshare', [...(way ?? []), 'sh', '-c', script, disk, process.execPath, child]);
    const { mute, ...found } = JSON.parse(stdout) as Record<string, unknown>;
    assert.match(String(mute), /^helm upgrade --install api in ns: words/);
    const keys = join(disk, 'state', 'vault-keys.json');
    assert.deepEqual(found, {
      command: { code: 1, message: `${keys}: the disk is full (write)` },
      afterFailure: { content: 'what was there', files: ['logs', 'helm', 'run', 'vault-keys.json'].sort() },
      helm: {
        started: false,
        message: `ENOSPC: no space left on device, write '${join(disk, 'state', 'run', 'helm')}'`,
      },
      records: [],
      next: [1, 1],
      written: 1024,
    });
  } finally {
    await rm(disk, { recursive: true, force: true });
  }
});
