import { openApi, proveSimulator, simulatedNode } from './cluster/index.ts';
import type { Layout } from './layout.ts';
import type { Report } from './report.ts';

/** To be asked for after each start of the simulator. @throws WaitTimeoutError when it does not play */
export async function proveStarted(layout: Layout, report: Report, signal: AbortSignal | undefined): Promise<void> {
  const api = await openApi(layout);
  try {
    await proveSimulator(api, simulatedNode(0), {
      signal,
      onRetold: (what) => {
        report({ kind: 'note', message: `kwok-controller did not ${what}, and was told its Stages again.` });
      },
    });
  } finally {
    api.close();
  }
}
