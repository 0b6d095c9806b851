/**
 * Programs `docker`, `podman` and `kind` that answer as the real ones do, keep their clusters in a folder, and write
 * down what they were asked.
 */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface FakeKind {
  /** For PATH. */
  folder: string;
  /** Everything that was asked, in order: `docker info …`; what only looks is left out. */
  asked: () => Promise<string[]>;
  /** The configuration of the last cluster that was made. */
  configuration: () => Promise<unknown>;
  /** As after a restart of the machine. */
  stopNodes: () => Promise<void>;
}

const KUBECONFIG = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': `kind-${name}`,
    clusters: [
      { name: `kind-${name}`, cluster: { server: 'https://127.0.0.1:41234', 'certificate-authority-data': '' } },
    ],
    contexts: [{ name: `kind-${name}`, context: { cluster: `kind-${name}`, user: `kind-${name}` } }],
    users: [{ name: `kind-${name}`, user: {} }],
  });

const NO_DAEMON = 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?';
const NO_PODMAN =
  'Cannot connect to Podman. Please verify your connection to the Linux system using `podman system connection list`, or try `podman machine init` and `podman machine start`';

/** @param engines which of them answer; absent ones are not on the PATH at all */
export async function fakeKind(
  place: string,
  {
    engines,
    kind = true,
    ports,
  }: { engines: { docker?: boolean; podman?: boolean }; kind?: boolean; ports?: readonly number[] },
): Promise<FakeKind> {
  const folder = join(place, 'bin');
  const state = join(place, 'kind-state');
  await Promise.all([folder, state].map((path) => mkdir(path, { recursive: true })));
  const program = async (name: string, body: string): Promise<void> => {
    // Only what every shell has built in, and cat: the PATH holds nothing else.
    await writeFile(join(folder, name), `#!/bin/sh\nPATH=/usr/bin:/bin\nS='${state}'\n${body}`);
    await chmod(join(folder, name), 0o755);
  };
  for (const [name, answers] of Object.entries(engines)) {
    await program(
      name,
      `
echo "${name} $*" >> "$S/asked"
${answers ? '' : `echo '${name === 'docker' ? NO_DAEMON : NO_PODMAN}' >&2; exit ${name === 'docker' ? 1 : 125}`}
case "$1" in
  info) echo 28.2.2 ;;
  ps) for n in $(cat "$S/clusters" 2>/dev/null); do echo "$n-control-plane $(cat "$S/nodes")"; done ;;
  stop) echo exited > "$S/nodes" ;;
  start) echo running > "$S/nodes" ;;
  port) cat "$S/ports" 2>/dev/null ;;
esac`,
    );
  }
  if (kind) {
    await program(
      'kind',
      `
echo "kind($KIND_EXPERIMENTAL_PROVIDER) $*" >> "$S/asked"
case "$1 $2" in
  "get clusters") if [ -s "$S/clusters" ]; then cat "$S/clusters"; else echo 'No kind clusters found.' >&2; fi ;;
  "create cluster")
    if [ -s "$S/clusters" ]; then echo "ERROR: failed to create cluster: node(s) already exist for a cluster with the name \\"$4\\"" >&2; exit 1; fi
    echo "$4" > "$S/clusters"; echo running > "$S/nodes"; cat "$6" > "$S/configuration" ;;
  "get kubeconfig") cat "$S/kubeconfig" ;;
  "delete cluster") rm -f "$S/clusters"; echo "Deleted nodes: [\\"$4-control-plane\\"]" >&2 ;;
esac`,
    );
  }
  await writeFile(join(state, 'kubeconfig'), KUBECONFIG('ananta-local'));
  await writeFile(join(state, 'ports'), (ports ?? []).map((port) => `${port}/tcp -> 127.0.0.1:${port}\n`).join(''));
  return {
    folder,
    asked: async () =>
      (await readFile(join(state, 'asked'), 'utf8').catch(() => ''))
        .split('\n')
        .filter((line) => line !== '' && !/ (info|ps|port) | get clusters| get kubeconfig/.test(line)),
    configuration: async () => JSON.parse(await readFile(join(state, 'configuration'), 'utf8')) as unknown,
    stopNodes: () => writeFile(join(state, 'nodes'), 'exited\n'),
  };
}
