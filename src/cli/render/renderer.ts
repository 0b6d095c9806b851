/** Events in, lines out: what all renderers have in common. */
import type { LiveEvent, LiveView } from './live.ts';
import type { SetupLine } from './setup.ts';

export interface Renderer {
  /** Tools, engine, cluster, Vault, worker. */
  setup(line: SetupLine): void;
  /** The workflow that is followed from here on. */
  started(run: { workflowId: string; runId: string; attached: boolean; url?: string }): void;
  /** @param view after the event */
  event(event: LiveEvent, view: LiveView): void;
  /** Something a person has to know that is no change of a service: engine away, component restarted. */
  notice(text: string): void;
  /** Leaves the terminal in order; nothing is drawn afterwards. */
  close(): void;
}
