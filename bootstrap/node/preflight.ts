/** What a real node needs of the machine; everything that is missing is named, and nothing is touched. */
import { readFile } from 'node:fs/promises';
import { exists } from './ground.ts';
import { CNI_FOLDERS, CNI_PLUGINS, command, findCniFolder, findProgram } from './machine.ts';

export interface Requirement {
  /** A program, a right or a feature of the kernel. */
  name: string;
  ok: boolean;
  /** What it is for. */
  purpose: string;
  /** What to do where it is missing. */
  remedy: string;
}

interface Program { name: string; purpose: string; debian: string }

const PROGRAMS: readonly Program[] = [
  { name: 'containerd', purpose: 'runs the pods', debian: 'containerd' },
  { name: 'containerd-shim-runc-v2', purpose: 'stands between containerd and each pod', debian: 'containerd' },
  { name: 'ctr', purpose: 'imports images', debian: 'containerd' },
  { name: 'runc', purpose: 'starts the containers', debian: 'runc' },
  { name: 'nft', purpose: 'Services, by kube-proxy', debian: 'nftables' },
  { name: 'conntrack', purpose: 'Services over UDP, by kube-proxy', debian: 'conntrack' },
  { name: 'ip', purpose: "the node's own network", debian: 'iproute2' },
  { name: 'sysctl', purpose: "the node's own network", debian: 'procps' },
  { name: 'mount', purpose: 'volumes', debian: 'mount' },
  { name: 'umount', purpose: 'volumes', debian: 'mount' },
  { name: 'unshare', purpose: "the node's own namespaces", debian: 'util-linux' },
  { name: 'nsenter', purpose: "the node's own namespaces", debian: 'util-linux' },
  { name: 'openssl', purpose: "the node's certificates", debian: 'openssl' },
];

/** Raised before anything is touched. */
export class NodePreflightError extends Error {
  override name = 'NodePreflightError';

  constructor(missing: readonly Requirement[]) {
    super(['This machine cannot run a real Kubernetes node (cluster.embedded.realNode). Missing:', ...missing.map(({ name, purpose, remedy }) => `  ${name} (${purpose}): ${remedy}`)].join('\n'));
  }
}

/** All of them, met or not; takes about 0.1 s and changes nothing. */
export async function nodeRequirements(): Promise<Requirement[]> {
  const linux = process.platform === 'linux';
  const root = process.getuid?.() === 0;
  const basis: Requirement[] = [
    { name: 'Linux', ok: linux, purpose: 'containers', remedy: 'use a Linux machine, or an environment without a real node, such as sandbox' },
    { name: 'root', ok: root, purpose: 'namespaces, mounts and control groups', remedy: 'run the same command as root, or use an environment without a real node, such as sandbox' },
  ];
  if (!linux) return basis;
  const programs = await Promise.all(PROGRAMS.map(async ({ name, purpose, debian }) => ({ name, ok: (await findProgram(name)) !== undefined, purpose, remedy: install(debian) })));
  const cni: Requirement = {
    name: `CNI plug-ins ${CNI_PLUGINS.join(', ')}`, ok: (await findCniFolder()) !== undefined, purpose: "pods' network interfaces",
    remedy: `${install('containernetworking-plugins')} (looked for in ${CNI_FOLDERS.join(', ')})`,
  };
  // Kernel features can be tried by root only, with the programs above.
  const tried = root && programs.every(({ ok }) => ok) ? await kernelRequirements() : [];
  return [...basis, ...programs, cni, ...tried];
}

/** @throws NodePreflightError naming everything that is missing */
export async function checkNodeRequirements(): Promise<void> {
  const missing = (await nodeRequirements()).filter(({ ok }) => !ok);
  if (missing.length > 0) throw new NodePreflightError(missing);
}

function install(debian: string): string {
  return `apt-get install ${debian}, or the package of your system that has it`;
}

/** Tried in a network namespace that is gone at once. */
async function kernelRequirements(): Promise<Requirement[]> {
  const inThrowaway = (line: string): Promise<boolean> => command('unshare', ['--net', 'sh', '-ec', line]).then(() => true, () => false);
  const [veth, bridge, nftables, filesystems] = await Promise.all([
    inThrowaway('ip link add a0 type veth peer name a1'),
    inThrowaway('ip link add a0 type bridge'),
    inThrowaway("nft 'add table ip a; add chain ip a b { type nat hook prerouting priority 0; }'"),
    readFile('/proc/filesystems', 'utf8'),
  ]);
  const overlay = /\boverlay\b/.test(filesystems) || (await command('modprobe', ['--dry-run', 'overlay']).then(() => true, () => false));
  const netfilter = (await exists('/proc/sys/net/bridge/bridge-nf-call-iptables')) || (await command('modprobe', ['--dry-run', 'br_netfilter']).then(() => true, () => false));
  const groups = await missingControlGroups();
  const kernel = (name: string, ok: boolean, purpose: string, module: string): Requirement => ({ name, ok, purpose, remedy: `load the kernel module ${module}, or use a kernel that has it; in a container, run it privileged` });
  return [
    kernel('veth', veth, "pods' network interfaces", 'veth'),
    kernel('bridge', bridge, "pods' network", 'bridge'),
    kernel('bridge netfilter', netfilter, 'Services between pods', 'br_netfilter'),
    kernel('nf_tables with NAT', nftables, 'Services', 'nf_tables and nft_chain_nat'),
    kernel('overlayfs', overlay, "containers' file systems", 'overlay'),
    { name: 'control groups', ok: groups.length === 0, purpose: "containers' limits", remedy: `mount the controllers ${groups.join(', ')} below /sys/fs/cgroup, writable` },
  ];
}

async function missingControlGroups(): Promise<string[]> {
  const wanted = ['cpu', 'memory', 'pids'];
  const unified = await readFile('/sys/fs/cgroup/cgroup.controllers', 'utf8').catch(() => undefined);
  if (unified !== undefined) return wanted.filter((controller) => !unified.split(/\s+/).includes(controller));
  const there = await Promise.all([...wanted, 'devices', 'freezer'].map(async (controller) => ((await exists(`/sys/fs/cgroup/${controller}/tasks`)) ? [] : [controller])));
  return there.flat();
}
