/** Layers of Debian packages, from the sources that this machine's own apt has. */
import { lstat, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requirePrograms } from './programs.ts';
import type { Layer } from './types.ts';

/** What these images are made of, whatever the machine itself runs. */
const SUITE = 'bookworm';
/** Manuals and translations are left out. */
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];

/** The smallest Debian that has a package manager; about 125 MB, the lowest layer of most images. */
const base: Layer = {
  title: `Debian ${SUITE}`,
  key: `debian ${SUITE} 1`,
  needs: [],
  lane: 'apt',
  async build(folder, work, context) {
    await requirePrograms({ mmdebstrap: 'mmdebstrap' }, context);
    const settings = join(work, 'apt.conf');
    await writeFile(settings, await context.run('apt-config', ['dump', '--format', '%F "%v";%n', 'Acquire']));
    await context.run('mmdebstrap', [
      '--mode=root',
      '--variant=apt',
      `--aptopt=${settings}`,
      ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
      SUITE,
      folder,
      ...(await debianSources('/etc/apt', SUITE)),
    ]);
    await forget(folder);
    await rm(join(folder, 'dev'), { recursive: true, force: true });
    await mkdir(join(folder, 'dev'));
  },
};

/**
 * Debian with packages, as layers to start an image with. Images that ask for the same packages share them.
 * Recommended packages are left out; no service is started by their installation.
 */
export function debian(...packages: readonly string[]): Layer[] {
  if (packages.length === 0) return [base];
  const sorted = [...packages].sort();
  return [
    base,
    {
      title: `Debian ${SUITE} with ${sorted.join(', ')}`,
      key: `${base.key} + ${sorted.join(' ')}`,
      needs: [base],
      lane: 'apt',
      async build(folder, work, context) {
        const lower = join(work, 'lower');
        await context.unpack([base], lower);
        // Lists and packages that are fetched once serve all layers.
        const apt = join(context.cacheDir, 'test-images', 'apt');
        for (const path of [
          join(work, 'overlay'),
          join(work, 'merged'),
          join(apt, 'lists', 'partial'),
          join(apt, 'archives', 'partial'),
        ])
          await mkdir(path, { recursive: true });
        // Mounts and processes live in namespaces of their own: they end with the command, however it ends.
        await context.run('unshare', [
          '--mount',
          '--propagation',
          'private',
          '--pid',
          '--fork',
          '--kill-child',
          'bash',
          '-euc',
          INSTALL,
          'install',
          lower,
          folder,
          work,
          apt,
          ...sorted,
        ]);
        await forget(folder);
        await whiteouts(folder);
      },
    },
  ];
}

const INSTALL = `
lower=$1 upper=$2 work=$3 apt=$4; shift 4
root=$work/merged
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$work/overlay" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root/var/lib/apt/lists" "$root/var/cache/apt/archives"
mount --bind "$apt/lists" "$root/var/lib/apt/lists"
mount --bind "$apt/archives" "$root/var/cache/apt/archives"
cat /etc/resolv.conf > "$root/etc/resolv.conf"
printf '#!/bin/sh\\nexit 101\\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
# Java's installation wants to link its manuals here.
mkdir -p "$root/usr/share/man/man1"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
chroot "$root" apt-get -qq update
chroot "$root" apt-get -qq -y --no-install-recommends -o APT::Sandbox::User=root install "$@"
rm "$root/etc/resolv.conf" "$root/usr/sbin/policy-rc.d"
`;

/**
 * The files of this machine's apt that have the suite, and nothing of other publishers.
 * @param folder /etc/apt
 * @returns paths that mmdebstrap takes as mirrors; none when the machine has no such source, for its defaults
 */
export async function debianSources(folder: string, suite: string): Promise<string[]> {
  const parts = join(folder, 'sources.list.d');
  const candidates = [
    join(folder, 'sources.list'),
    ...(await readdir(parts).catch(() => [])).sort().map((name) => join(parts, name)),
  ];
  const found: string[] = [];
  for (const path of candidates.filter((name) => /\.(list|sources)$/.test(name))) {
    if (hasSuite(await readFile(path, 'utf8').catch(() => ''), suite)) found.push(path);
  }
  return found;
}

/** In one-line form (`deb [options] URI SUITE component`) or in paragraphs (`Suites: …`). */
function hasSuite(text: string, suite: string): boolean {
  const suites = text.split('\n').flatMap((line) => {
    const oneLine = /^deb\s+(?:\[[^\]]*\]\s+)?\S+\s+(\S+)/.exec(line);
    if (oneLine !== null) return [oneLine[1]];
    return /^Suites:\s*(.*)$/.exec(line)?.[1]?.split(/\s+/) ?? [];
  });
  return suites.some((name) => name !== undefined && [suite, `${suite}-updates`, `${suite}-security`].includes(name));
}

/** Lists, logs and caches, which differ from day to day. */
async function forget(folder: string): Promise<void> {
  for (const path of [
    'var/lib/apt/lists',
    'var/cache/apt',
    'var/cache/debconf',
    'var/cache/ldconfig',
    'var/log',
    'tmp',
    'run',
  ]) {
    for (const name of await readdir(join(folder, path)).catch(() => []))
      await rm(join(folder, path, name), { recursive: true, force: true });
  }
}

/** What the overlay marks as deleted by a device 0:0, layers mark by a file with a prefix. */
async function whiteouts(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isCharacterDevice() || (await lstat(path)).rdev !== 0) continue;
    await rm(path);
    await writeFile(join(entry.parentPath, `.wh.${entry.name}`), '');
  }
}

/** Debian's name for this machine's kind of processor is Go's and OCI's, too. */
export const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;
