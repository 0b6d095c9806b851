/** What a real node needs of the machine; everything that is missing is named, and nothing is touched. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AnantaError, type NextStep } from '../../src/contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../src/contract/failures.ts';
import { lackingControllers } from './control-groups.ts';
import { exists } from './namespaces.ts';
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

interface Program {
  name: string;
  purpose: string;
  debian: string;
}

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
export class NodePreflightError extends AnantaError {
  override name = 'NodePreflightError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[] = ['docs/learn/node.md'];

  constructor(missing: readonly Requirement[]) {
    super(
      [
        'This machine cannot run a real Kubernetes node (cluster.embedded.realNode). Missing:',
        ...missing.map(({ name, purpose, remedy }) => `  ${name} (${purpose}): ${remedy}`),
      ].join('\n'),
    );
  }
}

/**
 * All of them, met or not; takes about 0.1 s and leaves everything as it was.
 * @param folder where the node's files will be, or any below which they will: their file system has to carry
 * containers'
 */
export async function nodeRequirements(folder: string = tmpdir()): Promise<Requirement[]> {
  const linux = process.platform === 'linux';
  const root = process.getuid?.() === 0;
  const basis: Requirement[] = [
    {
      name: 'Linux',
      ok: linux,
      purpose: 'containers',
      remedy: 'use a Linux machine, or an environment without a real node, such as sandbox',
    },
    {
      name: 'root',
      ok: root,
      purpose: 'namespaces, mounts and control groups',
      remedy: 'run the same command as root, or use an environment without a real node, such as sandbox',
    },
  ];
  if (!linux) return basis;
  const programs = await Promise.all(
    PROGRAMS.map(async ({ name, purpose, debian }) => ({
      name,
      ok: (await findProgram(name)) !== undefined,
      purpose,
      remedy: install(debian),
    })),
  );
  const cni: Requirement = {
    name: `CNI plug-ins ${CNI_PLUGINS.join(', ')}`,
    ok: (await findCniFolder()) !== undefined,
    purpose: "pods' network interfaces",
    remedy: `${install('containernetworking-plugins')} (looked for in ${CNI_FOLDERS.join(', ')})`,
  };
  // Kernel features can be tried by root only, with the programs above.
  const tried = root && programs.every(({ ok }) => ok) ? await kernelRequirements(folder) : [];
  return [...basis, ...programs, cni, ...tried];
}

/** @throws NodePreflightError naming everything that is missing */
export async function checkNodeRequirements(folder?: string): Promise<void> {
  const missing = (await nodeRequirements(folder)).filter(({ ok }) => !ok);
  if (missing.length > 0) throw new NodePreflightError(missing);
}

function install(debian: string): string {
  return `apt-get install ${debian}, or the package of your system that has it`;
}

/** Tried in namespaces that are gone at once: that a kernel could does not mean that this process may. */
async function kernelRequirements(folder: string): Promise<Requirement[]> {
  const works = (line: string): Promise<boolean> =>
    command('unshare', ['--net', '--mount', 'sh', '-ec', line]).then(
      () => true,
      () => false,
    );
  const kernel = (name: string, ok: boolean, purpose: string, module: string): Requirement => ({
    name,
    ok,
    purpose,
    remedy: `load the kernel module ${module}, or use a kernel that has it; in a container, run it privileged`,
  });
  const namespaces: Requirement = {
    name: 'namespaces',
    ok: await works('mount -t tmpfs tmpfs /tmp'),
    purpose: "the node's own network and mounts",
    remedy: 'root is not enough here: network and mount namespaces are forbidden; in a container, run it privileged',
  };
  // Everything else is tried in them.
  if (!namespaces.ok) return [namespaces];
  const [veth, bridge, nftables, overlay, lacking] = await Promise.all([
    works('ip link add a0 type veth peer name a1'),
    works('ip link add a0 type bridge'),
    works("nft 'add table ip a; add chain ip a b { type nat hook prerouting priority 0; }'"),
    overlayWorks(folder, works),
    lackingControllers(),
  ]);
  const netfilter =
    (await exists('/proc/sys/net/bridge/bridge-nf-call-iptables')) ||
    (await command('modprobe', ['--dry-run', 'br_netfilter']).then(
      () => true,
      () => false,
    ));
  return [
    namespaces,
    kernel('veth', veth, "pods' network interfaces", 'veth'),
    kernel('bridge', bridge, "pods' network", 'bridge'),
    kernel('bridge netfilter', netfilter, 'Services between pods', 'br_netfilter'),
    kernel('nf_tables with NAT', nftables, 'Services', 'nf_tables and nft_chain_nat'),
    overlay,
    {
      name: 'control groups',
      ok: lacking.length === 0,
      purpose: "containers' limits",
      remedy: `mount the controllers ${lacking.join(', ')} below /sys/fs/cgroup, writable; in a container, run it privileged`,
    },
  ];
}

async function overlayWorks(folder: string, works: (line: string) => Promise<boolean>): Promise<Requirement> {
  const overlay = (ok: boolean, remedy = ''): Requirement => ({
    name: 'overlayfs',
    ok,
    purpose: "containers' file systems",
    remedy: remedy || 'load the kernel module overlay, or use a kernel that has it',
  });
  const filesystems = await readFile('/proc/filesystems', 'utf8');
  if (
    !/\boverlay\b/.test(filesystems) &&
    !(await command('modprobe', ['overlay']).then(
      () => true,
      () => false,
    ))
  )
    return overlay(false);
  let there = folder;
  while (!(await exists(there)) && there !== dirname(there)) there = dirname(there);
  const trial = await mkdtemp(join(there, 'ananta-overlay-'));
  try {
    // Not every file system can be the upper layer: one that is an overlay itself cannot.
    const ok = await works(
      `cd '${trial.replaceAll("'", `'\\''`)}'; mkdir lower upper work all; mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work all`,
    );
    return overlay(
      ok,
      `the file system of ${there} cannot carry containers' (in a container, its root cannot): put the state folder on a disk or a volume, by ANANTA_STATE_DIR`,
    );
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}
