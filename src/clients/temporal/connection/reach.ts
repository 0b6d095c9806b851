/** The way to an engine: its address as it is, or the near end of a tunnel into the cluster in which it runs. */
import type { Connections } from '../../../environment/connections.ts';

export interface ReachedEngine {
  /** host:port to connect to. */
  address: string;
  /** Why the tunnel does not work, where it does not. */
  problem: () => string | undefined;
  close: () => Promise<void>;
}

/** @throws KubeconfigError when the cluster of the tunnel is not configured here */
export async function reachEngine(engine: Pick<Connections['engine'], 'address' | 'tunnel'>): Promise<ReachedEngine> {
  if (engine.tunnel === undefined)
    return { address: engine.address, problem: () => undefined, close: () => Promise.resolve() };
  // Loaded late: most engines need no tunnel.
  const [{ createKubernetesClient }, { openForward }] = await Promise.all([
    import('../../kubernetes/index.ts'),
    import('../../kubernetes/forward.ts'),
  ]);
  const kubernetes = createKubernetesClient(engine.tunnel.kubernetes);
  const forward = await openForward(kubernetes, engine.tunnel);
  return {
    address: `127.0.0.1:${forward.port}`,
    problem: forward.problem,
    close: async () => {
      await forward.close();
      kubernetes.close();
    },
  };
}
