import type { Connections } from './connections.ts';

/** Where the Temporal UI shows one run. @returns undefined where no UI is known */
export function workflowUrl(
  engine: Connections['engine'],
  run: { workflowId: string; runId: string },
): string | undefined {
  if (engine.uiAddress === undefined) return undefined;
  return `${engine.uiAddress.replace(/\/$/, '')}/namespaces/${encodeURIComponent(engine.namespace)}/workflows/${encodeURIComponent(run.workflowId)}/${run.runId}/history`;
}
