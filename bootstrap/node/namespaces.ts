/**
 * What a real node stands on: a network namespace with one link to this machine, and a mount namespace in which the
 * folders that containerd and kubelet have hard-wired are ours. Both are held by files below the state folder. All
 * mounts that the node makes live in the second one and are gone with it.
 */
import { access, mkdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withLock } from '../process/lock.ts';
import { makeControlGroups } from './control-groups.ts';
import { type NodeLayout, STAND_INS } from './layout.ts';
import { command } from './machine.ts';
import { type NodeNetwork, SERVICE_RANGE } from './network.ts';
import { readNodeRecord, writeNodeRecord } from './record.ts';
import { openWayOut } from './way-out.ts';

/** Safe to repeat: what is there is left alone, half of it is completed. */
export async function ensureNodeNamespaces(
  layout: NodeLayout,
  network: NodeNetwork,
  { egress }: { egress: boolean },
): Promise<void> {
  await withLock(layout.lock, {}, async () => {
    await layFolders(layout);
    await holdNamespaces(layout);
    await makeControlGroups(layout.cgroup);
    await linkUp(layout, network, egress);
    if (egress) await openWayOut(layout, network);
  });
}

async function layFolders(layout: NodeLayout): Promise<void> {
  for (const folder of [
    layout.namespaces,
    layout.config,
    layout.pki,
    layout.volumes,
    ...STAND_INS.map(([, name]) => join(layout.root, name)),
  ]) {
    await mkdir(folder, { recursive: true, mode: 0o755 });
  }
  const record = await readNodeRecord(layout);
  const missing: string[] = [];
  for (const [path] of STAND_INS) {
    for (let folder = path; !(await exists(folder)) && !missing.includes(folder); folder = dirname(folder))
      missing.push(folder);
  }
  if (missing.length === 0) return;
  const outermostFirst = missing.sort((a, b) => a.length - b.length);
  // Noted first: whoever is killed in between leaves nothing unknown.
  if (record !== undefined)
    await writeNodeRecord(layout, { ...record, folders: [...new Set([...record.folders, ...outermostFirst])] });
  for (const folder of outermostFirst) await mkdir(folder, { recursive: true });
}

async function holdNamespaces(layout: NodeLayout): Promise<void> {
  // A mount namespace can be held only below a mount that is shared with nobody.
  if (!(await isMountPoint(layout.namespaces)))
    await command('mount', ['--bind', layout.namespaces, layout.namespaces]);
  await command('mount', ['--make-private', layout.namespaces]);
  for (const file of [layout.net, layout.mnt]) if (!(await exists(file))) await writeFile(file, '');
  if (!(await isNamespace(layout.net))) await command('unshare', [`--net=${layout.net}`, 'true']);
  if (!(await isNamespace(layout.mnt))) {
    const binds = STAND_INS.map(([path, name]) => `mount --bind ${quote(join(layout.root, name))} ${quote(path)}`);
    // Slave: what the machine unmounts is unmounted here, too; what is mounted here, the machine does not see.
    await command('unshare', [
      `--mount=${layout.mnt}`,
      '--propagation',
      'slave',
      'sh',
      '-ec',
      [...binds, 'mount --make-rshared /'].join('\n'),
    ]);
  }
}

async function linkUp(layout: NodeLayout, { host, node, linkBits, pods }: NodeNetwork, egress: boolean): Promise<void> {
  if (!(await exists(`/sys/class/net/${layout.link}`))) {
    await command('ip', ['link', 'add', layout.link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', layout.net]);
  }
  await command('ip', ['address', 'replace', `${host}/${linkBits}`, 'dev', layout.link]);
  await command('ip', ['link', 'set', layout.link, 'up']);
  await command('ip', ['route', 'replace', pods, 'via', node, 'dev', layout.link]);
  if (!(await exists('/proc/sys/net/bridge'))) await command('modprobe', ['br_netfilter']);
  const lines = [
    'ip link set lo up',
    `ip address replace ${node}/${linkBits} dev eth0`,
    'ip link set eth0 up',
    'sysctl -qw net.ipv4.ip_forward=1',
    // Pods on one bridge reach each other through Services only when the bridge shows its traffic to the packet filter.
    'sysctl -qw net.bridge.bridge-nf-call-iptables=1',
    // Without a route to the internet, connections fail at once instead of waiting.
    egress ? `ip route replace default via ${host}` : 'ip route replace unreachable default',
    // kube-proxy answers for these; the route only has to exist.
    ...(egress ? [] : [`ip route replace ${SERVICE_RANGE} via ${host} dev eth0`]),
  ];
  await command('nsenter', [`--net=${layout.net}`, '--', 'sh', '-ec', lines.join('\n')]);
}

export async function isNamespace(file: string): Promise<boolean> {
  try {
    // A held namespace is no file of the disk any more.
    const [own, folder] = await Promise.all([stat(file), stat(dirname(file))]);
    return own.dev !== folder.dev;
  } catch {
    return false;
  }
}

/** Inode number that identifies processes in a held namespace; undefined where none is held. */
export async function namespaceNumber(file: string): Promise<number | undefined> {
  return (await isNamespace(file)) ? (await stat(file)).ino : undefined;
}

/** Of a process; undefined when it is gone. @param kind `net` or `mnt` */
export async function namespaceOf(pid: number | string, kind: 'net' | 'mnt'): Promise<number | undefined> {
  const link = await readlink(`/proc/${pid}/ns/${kind}`).catch(() => '');
  const number = /\[(\d+)\]/.exec(link)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** From the kernel's own list: a folder bound onto itself cannot be seen from outside. */
export async function isMountPoint(path: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  return mounts.split('\n').some((line) => unescape(line.split(' ')[4] ?? '') === path);
}

function unescape(path: string): string {
  return path.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
