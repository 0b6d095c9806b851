import type { ProbeContext, ProbeResult } from './types.ts';

/** Vault's own `sys/health`: initialised and unsealed. */
export async function probeVault(context: ProbeContext, signal: AbortSignal): Promise<ProbeResult> {
  const { state, detail } = await context.vault.state(signal);
  return { ok: state === 'open', text: detail };
}

/** Before it is initialised Vault cannot be open: it is enough that it answers. */
export async function probeVaultAnswers(context: ProbeContext, signal: AbortSignal): Promise<ProbeResult> {
  const { state, detail } = await context.vault.state(signal);
  return { ok: state !== 'absent' && state !== 'unreachable', text: detail };
}
