/**
 * Has kwokctl make the control plane: keys, the components' command lines, the first start. From then on the components
 * are started here from what kwokctl recorded, since kwokctl supervises nothing and trusts stale pid files.
 *
 * What must outlive kwokctl's folder (it removes that when something goes wrong) lies beside it, behind symbolic links.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Layout } from '../layout.ts';
import { readJson, readText, writeFileDurably } from '../process/files.ts';
import { GO_MEMORY } from '../process/go.ts';
import type { NodeNetwork } from '../node/network.ts';
import type { Ports } from '../process/ports.ts';
import { findProcesses } from '../process/orphans.ts';
import { endProcess } from '../process/daemon.ts';
import { apiServerAddress, clusterFolder, configurationFile, kwokctlConfiguration } from './config.ts';
import type { ClusterTools } from './config.ts';

const run = promisify(execFile);
const CREATE_WITHIN_MS = 180_000;

const recordedSchema = z.object({
  name: z.string(),
  binary: z.string(),
  args: z.array(z.string()),
  workDir: z.string(),
  envs: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
});
/** How kwokctl starts one component. */
export type RecordedComponent = z.infer<typeof recordedSchema>;
const recordSchema = z.object({ digest: z.string(), components: z.array(recordedSchema) });

export function pkiFolder(layout: Layout): string {
  return join(layout.cluster, 'pki');
}

function recordFile(layout: Layout): string {
  return join(layout.cluster, 'components.json');
}

export function clusterDigest(layout: Layout, tools: ClusterTools, ports: Ports, real?: NodeNetwork): string {
  return createHash('sha256')
    .update(JSON.stringify(kwokctlConfiguration(layout, tools, ports, real)))
    .digest('hex')
    .slice(0, 16);
}

/** The components as kwokctl made them for this configuration; undefined when it has to be made (anew). */
export async function recordedComponents(layout: Layout, digest: string): Promise<RecordedComponent[] | undefined> {
  const parsed = recordSchema.safeParse(await readJson(recordFile(layout)));
  return parsed.success && parsed.data.digest === digest ? parsed.data.components : undefined;
}

/**
 * Makes the cluster, or makes its command lines anew for other ports, tools or settings; its data stays. Nothing of it
 * may run, except what an interrupted attempt left, which is ended.
 * @returns the process id of each component that kwokctl has started: all of them, or none
 */
export async function createCluster(
  layout: Layout,
  tools: ClusterTools,
  ports: Ports,
  real?: NodeNetwork,
): Promise<{ components: RecordedComponent[]; pids: Map<string, number> }> {
  // kwokctl reads the path of its folder up to the first blank.
  if (!/\s/.test(layout.cluster)) return runKwokctl({ layout, tools, ports, real }, layout.cluster);
  const detour = await mkdtemp(join(tmpdir(), 'ananta-kwokctl-'));
  const link = join(detour, 'cluster');
  try {
    if (/\s/.test(link))
      throw new Error(
        `kwokctl cannot work below a path with blanks, and this machine's folder for temporary files has some, too: ${link}. Set ANANTA_STATE_DIR to a path without.`,
      );
    await symlink(layout.cluster, link);
    const { components } = await runKwokctl({ layout, tools, ports, real }, link);
    // What runs was started by its path through the link, which does not stay.
    await endLeftovers(layout, tools);
    return { components, pids: new Map() };
  } finally {
    await rm(detour, { recursive: true, force: true });
  }
}

interface Making {
  layout: Layout;
  tools: ClusterTools;
  ports: Ports;
  real: NodeNetwork | undefined;
}

/** @param workFolder the cluster's folder, as it is passed to kwokctl */
async function runKwokctl(
  { layout, tools, ports, real }: Making,
  workFolder: string,
): Promise<{ components: RecordedComponent[]; pids: Map<string, number> }> {
  const folder = clusterFolder(layout);
  const wasWhole = (await readText(recordFile(layout))) !== undefined;
  await endLeftovers(layout, tools);
  if (!wasWhole) await rm(layout.cluster, { recursive: true, force: true });
  await layFolders(layout, folder);
  const configuration = kwokctlConfiguration(layout, tools, ports, real);
  const file = configurationFile(layout);
  await writeFileDurably(file, `${JSON.stringify(configuration, undefined, 2)}\n`);
  try {
    await run(tools.kwokctl.path, ['create', 'cluster', '--config', file, '--kubeconfig', ''], {
      // Its own home and an empty PATH: it must find nothing of the user's, neither files nor programs. What it starts
      // has its settings, too.
      env: { HOME: layout.cluster, PATH: '', KWOK_WORKDIR: workFolder, ...GO_MEMORY },
      cwd: layout.cluster,
      timeout: CREATE_WITHIN_MS,
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    // Its last act is to lay its custom resources, which it cannot do over those that are there from the first time.
    if (!wasWhole || !stderr.includes('failed to init crds')) {
      await endLeftovers(layout, tools);
      throw new Error(`kwokctl could not make the cluster: ${lastMessages(stderr) || message}`);
    }
  }
  if (!wasWhole) {
    await rename(join(folder, 'pki'), pkiFolder(layout));
    await symlink(pkiFolder(layout), join(folder, 'pki'));
  }
  if (workFolder !== layout.cluster) {
    for (const file of ['kwok.yaml', 'kubeconfig.yaml'])
      await writeFileDurably(
        join(folder, file),
        (await readFile(join(folder, file), 'utf8')).replaceAll(workFolder, layout.cluster),
      );
  }
  const components = await readComponents(folder);
  const pids = await readPids(folder);
  await writeKubeconfig(layout, ports);
  await writeFileDurably(
    recordFile(layout),
    `${JSON.stringify({ digest: clusterDigest(layout, tools, ports, real), components }, undefined, 2)}\n`,
  );
  return { components, pids };
}

async function layFolders(layout: Layout, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [name, target] of [
    ['etcd', join(layout.cluster, 'etcd')],
    ['logs', layout.logs],
  ] as const) {
    await mkdir(target, { recursive: true, mode: 0o700 });
    await symlink(target, join(folder, name));
  }
  if ((await readText(join(pkiFolder(layout), 'ca.crt'))) !== undefined)
    await symlink(pkiFolder(layout), join(folder, 'pki'));
}

async function readComponents(folder: string): Promise<RecordedComponent[]> {
  const { parseAllDocuments } = await import('yaml');
  const documents = parseAllDocuments(await readFile(join(folder, 'kwok.yaml'), 'utf8')).map(
    (document) => document.toJS() as { kind?: string; components?: unknown },
  );
  return z.array(recordedSchema).parse(documents.find(({ kind }) => kind === 'KwokctlConfiguration')?.components);
}

async function readPids(folder: string): Promise<Map<string, number>> {
  const pids = new Map<string, number>();
  for (const file of await readdir(join(folder, 'pids')))
    pids.set(file.replace(/\.pid$/, ''), Number(await readFile(join(folder, 'pids', file), 'utf8')));
  return pids;
}

/** So that kwokctl shows the right state of components that were started here. */
export async function tellKwokctl(layout: Layout, component: string, pid: number): Promise<void> {
  await writeFileDurably(join(clusterFolder(layout), 'pids', `${component}.pid`), String(pid));
}

/** What kwokctl started and nobody recorded, because the process that asked it to was killed. */
async function endLeftovers(layout: Layout, tools: ClusterTools): Promise<void> {
  const programs = Object.values(tools).flatMap(({ name, path }) => (name === 'kubectl' ? [] : [path]));
  // All of them have the folder as their home, whatever their arguments say.
  await Promise.all(
    (await findProcesses({ folder: layout.cluster, programs, orEnvironment: true })).map((found) =>
      endProcess(found, 5_000),
    ),
  );
}

/** One file with everything in it, for kubectl, helm and the worker. */
async function writeKubeconfig(layout: Layout, ports: Ports): Promise<void> {
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'admin.crt', 'admin.key'].map(async (name) =>
      (await readFile(join(pkiFolder(layout), name))).toString('base64'),
    ),
  );
  const name = `ananta-${layout.environment}`;
  await writeFileDurably(
    layout.kubeconfig,
    `apiVersion: v1
kind: Config
current-context: ${name}
clusters:
- name: ${name}
  cluster:
    server: ${apiServerAddress(ports)}
    certificate-authority-data: ${ca}
contexts:
- name: ${name}
  context:
    cluster: ${name}
    user: ${name}
users:
- name: ${name}
  user:
    client-certificate-data: ${cert}
    client-key-data: ${key}
`,
  );
}

/** kwokctl logs one JSON object a line: the last few, in words. */
function lastMessages(stderr: string): string {
  return stderr
    .trim()
    .split('\n')
    .slice(-4)
    .map((line) => {
      try {
        const { msg, err } = JSON.parse(line) as { msg?: string; err?: string };
        return [msg, err].filter(Boolean).join(': ');
      } catch {
        return line;
      }
    })
    .join('; ')
    .slice(0, 1_000);
}
