/** Semantic probes: what a service itself says, asked through the API server. */
import type { KubernetesClient } from '../../clients/kubernetes/index.ts';
import type { VaultClient } from '../../clients/vault/index.ts';

export interface ProbeTarget {
  namespace: string;
  /** Also the name of its Service. */
  release: string;
  pod: string;
}

export interface ProbeContext {
  kubernetes: Pick<KubernetesClient, 'connect' | 'exec'>;
  vault: Pick<VaultClient, 'state'>;
}

export interface ProbeResult {
  ok: boolean;
  /** What proved it, or what came back instead: one line. */
  text: string;
}

/** The host name of the server that is probed: probes arrive through a tunnel that has no name of its own. */
export function authorityOf({ release, namespace }: ProbeTarget): string {
  return `${release}.${namespace}.svc`;
}

/** First line of a text, short enough for a status line. */
export function brief(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 160);
}
