/** One probe, whatever its kind. What goes wrong on the way is an answer too: the service does not work yet. */
import type { Health } from '../../catalog/schema.ts';
import { probeExec } from './exec.ts';
import { probeGrpc } from './grpc.ts';
import { probeHttp } from './http.ts';
import { probeTcp } from './tcp.ts';
import type { ProbeContext, ProbeResult, ProbeTarget } from './types.ts';
import { probeVault } from './vault.ts';

export type { ProbeContext, ProbeResult, ProbeTarget } from './types.ts';
export { probeVaultAnswers } from './vault.ts';

/** One attempt, its connection included. */
const ATTEMPT_MILLISECONDS = 8000;

/** Kinds that are asked of a pod; the others need none. */
export type PodHealth = Extract<Health, { kind: 'exec' | 'http' | 'tcp' | 'grpc' }>;

/** Asks the pods in turn until one answers well. Never throws, except for the signal. */
export async function probePods(
  context: ProbeContext,
  pods: readonly ProbeTarget[],
  health: PodHealth,
  signal: AbortSignal,
): Promise<ProbeResult> {
  let last: ProbeResult = { ok: false, text: 'it has no ready pod to ask' };
  for (const pod of pods) {
    last = await attempt(signal, (limited) => askPod(context, pod, health, limited));
    if (last.ok) return last;
  }
  return last;
}

export function probeOpenVault(context: ProbeContext, signal: AbortSignal): Promise<ProbeResult> {
  return attempt(signal, (limited) => probeVault(context, limited));
}

function askPod(context: ProbeContext, pod: ProbeTarget, health: PodHealth, signal: AbortSignal): Promise<ProbeResult> {
  switch (health.kind) {
    case 'exec':
      return probeExec(context, pod, health, signal);
    case 'http':
      return probeHttp(context, pod, health, signal);
    case 'tcp':
      return probeTcp(context, pod, health, signal);
    case 'grpc':
      return probeGrpc(context, pod, health, signal);
  }
}

async function attempt(signal: AbortSignal, ask: (limited: AbortSignal) => Promise<ProbeResult>): Promise<ProbeResult> {
  const timeout = AbortSignal.timeout(ATTEMPT_MILLISECONDS);
  try {
    return await ask(AbortSignal.any([signal, timeout]));
  } catch (error) {
    signal.throwIfAborted();
    return {
      ok: false,
      text: timeout.aborted
        ? `no answer within ${ATTEMPT_MILLISECONDS / 1000} s`
        : error instanceof Error
          ? error.message
          : String(error),
    };
  }
}
