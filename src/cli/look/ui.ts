/** `ananta ui`: where the engine's web interface answers; opens a tunnel where it runs inside the cluster. */
import { once } from 'node:events';
import { createKubernetesClient } from '../../clients/kubernetes/index.ts';
import { openForward } from '../../clients/kubernetes/forward.ts';
import { IN_CLUSTER } from '../../contract/names.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { CliContext } from '../shared/context.ts';
import { watchInterrupts } from '../deploy/interrupt.ts';
import { refused } from '../shared/failure.ts';
import { printLines } from '../shared/terminal.ts';

export interface UiOptions {
  env: string;
  port: number;
}

export async function runUi({ config, terminal }: CliContext, { env, port }: UiOptions): Promise<void> {
  const environment = await loadEnvironment(env, config);
  const { engine } = await resolveConnections(environment, config);
  if (engine.uiAddress !== undefined) {
    printLines(terminal.stdout, [engine.uiAddress]);
    return;
  }
  if (engine.tunnel === undefined)
    throw refused(
      `The engine of "${env}" is run by somebody else (${engine.address}): ask them for the address of its web interface.`,
    );
  const interrupts = watchInterrupts();
  const kubernetes = createKubernetesClient(engine.tunnel.kubernetes);
  try {
    const forward = await openForward(
      kubernetes,
      { namespace: IN_CLUSTER.namespace, release: IN_CLUSTER.ui, port: IN_CLUSTER.uiPort },
      port,
    );
    printLines(terminal.stdout, [`http://127.0.0.1:${forward.port}/namespaces/${engine.namespace}/workflows`]);
    printLines(terminal.stderr, ['Open until Ctrl-C.']);
    if (!interrupts.signal.aborted) await held(interrupts.signal);
    await forward.close();
  } finally {
    kubernetes.close();
    interrupts.dispose();
  }
}

/** The tunnel alone does not keep this process alive, so this waits for the signal. */
async function held(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => undefined, 60_000);
  await once(signal, 'abort').finally(() => clearInterval(alive));
}
