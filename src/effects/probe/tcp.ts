import { setTimeout as sleep } from 'node:timers/promises';
import type { Health } from '../../catalog/schema.ts';
import type { ProbeContext, ProbeResult, ProbeTarget } from './types.ts';

/** A refused port is reported through the tunnel only after the tunnel itself is open. */
const QUIET_MILLISECONDS = 250;

/** Something accepts the connection and does not close it at once. */
export async function probeTcp(
  context: ProbeContext,
  target: ProbeTarget,
  health: Extract<Health, { kind: 'tcp' }>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const stream = await context.kubernetes.connect(target, health.port, signal);
  try {
    const refusal = new Promise<string>((resolve) => {
      stream.once('error', (error) => resolve(error.message));
      stream.once('end', () => resolve('the connection was closed at once'));
    });
    stream.resume();
    const refused = await Promise.race([refusal, sleep(QUIET_MILLISECONDS, undefined, { signal })]);
    return refused === undefined
      ? { ok: true, text: `TCP ${health.port} accepts connections` }
      : { ok: false, text: `TCP ${health.port}: ${refused}` };
  } finally {
    stream.destroy();
  }
}
