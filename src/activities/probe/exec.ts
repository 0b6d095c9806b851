import type { Health } from '../../catalog/schema.ts';
import { brief, type ProbeContext, type ProbeResult, type ProbeTarget } from './types.ts';

/** A command in a container of the pod: exit code 0 is good. */
export async function probeExec(
  context: ProbeContext,
  target: ProbeTarget,
  health: Extract<Health, { kind: 'exec' }>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { exitCode, stdout, stderr } = await context.kubernetes.exec(target, health.container, health.command, signal);
  const program = health.command[0] ?? '';
  const said = brief(stderr) || brief(stdout);
  return exitCode === 0
    ? { ok: true, text: `${program} exited 0` }
    : { ok: false, text: `${program} exited ${exitCode}${said === '' ? '' : `: ${said}`}` };
}
