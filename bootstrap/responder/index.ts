/** The responder as a component of an environment. */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Component, daemonSpec } from '../component.ts';
import { apiServerAddress } from '../cluster/config.ts';
import { type Layout, lockOf, pidFileOf } from '../layout.ts';
import { LOOPBACK, type Ports } from '../process/ports.ts';
import { expectOk } from '../process/probe.ts';
import type { KnownCommand } from './kubelet/exec.ts';
import type { KnownAnswer } from './server.ts';

export { PROBE_FAILURES, type ProbeFailure, clearProbe, failProbe } from './failures.ts';

/** Changes when the responder itself changes, so that `up` replaces an old one. */
const VERSION = '5';

/** Name of the port at which it answers as the kubelet of all nodes. */
export const KUBELET_PORT = 'responder-kubelet';

export interface ResponderDuties {
  /** Services whose health check is a plain connection. */
  tcpServices: readonly string[];
  /** Health checks in containers: simulated ones seem to have their programs. */
  commands: readonly KnownCommand[];
  /** Requests of checks that are not answered as health checks are. */
  answers?: readonly KnownAnswer[];
  /** The cluster's keys and certificates: it waits for them, since it is up before the cluster is made. */
  pki: string;
  /** The claim that Vault's folder stands for. */
  vaultClaim?: { namespace: string; name: string } | undefined;
}

export function responderPorts(tcpServices: readonly string[]): string[] {
  return ['responder', KUBELET_PORT, ...tcpServices.map(tcpPortName)];
}

export function tcpPortName(service: string): string {
  return `responder-tcp-${service}`;
}

export function responderComponent(
  layout: Layout,
  ports: Ports,
  { tcpServices, commands, answers = [], pki, vaultClaim }: ResponderDuties,
): Component {
  const port = ports['responder'] as number;
  return {
    name: 'responder',
    standstillMs: 15_000,
    graceMs: 2_000,
    prepare: async () => {
      await mkdir(layout.failures, { recursive: true, mode: 0o700 });
    },
    spec: daemonSpec(layout, 'responder', {
      command: process.execPath,
      args: [
        '--disable-warning=ExperimentalWarning',
        fileURLToPath(new URL('main.ts', import.meta.url)),
        '--port',
        String(port),
        '--failures',
        layout.failures,
        '--kubelet-port',
        String(ports[KUBELET_PORT]),
        '--kwok-port',
        String(ports['kwok-controller']),
        '--pki',
        pki,
        ...(vaultClaim === undefined
          ? []
          : [
              '--api-server',
              apiServerAddress(ports),
              '--vault-claim',
              `${vaultClaim.namespace}/${vaultClaim.name}`,
              '--vault-folder',
              layout.vault,
              '--vault-pid-file',
              pidFileOf(layout, 'vault'),
              '--vault-lock',
              lockOf(layout, 'vault'),
            ]),
        ...commands.flatMap((known) => ['--command', JSON.stringify(known)]),
        ...answers.flatMap((known) => ['--answer', JSON.stringify(known)]),
        ...tcpServices.flatMap((service) => ['--tcp', `${service}=${ports[tcpPortName(service)]}`]),
      ],
      env: {},
      cwd: layout.root,
      version: VERSION,
      port,
    }),
    check: responderCheck(ports),
  };
}

export function responderCheck(ports: Ports): () => Promise<string> {
  return async () => {
    await expectOk({ url: `http://${LOOPBACK}:${ports['responder']}/` });
    return '';
  };
}
