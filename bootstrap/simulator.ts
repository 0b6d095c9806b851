import { openApi, probeSimulator, simulatedNode } from './cluster/index.ts';
import type { Layout } from './layout.ts';
import type { Report } from './report.ts';
import { vitalsIn } from './vitals.ts';

/**
 * To be called after each start of the simulator. @throws WaitTimeoutError when it does not simulate pods or volumes
 */
export async function proveStarted(layout: Layout, report: Report, signal: AbortSignal | undefined): Promise<void> {
  const api = await openApi(layout);
  const vitals = vitalsIn(layout);
  try {
    await probeSimulator(api, simulatedNode(0), {
      signal,
      signs: async () =>
        [
          `kwok-controller: ${await vitals('kwok-controller')}`,
          `kube-controller-manager: ${await vitals('kube-controller-manager')}`,
        ].join('; '),
      onResync: (what) => {
        report({ kind: 'note', message: `kwok-controller did not ${what}, so its Stages were written again.` });
      },
    });
  } finally {
    api.close();
  }
}
