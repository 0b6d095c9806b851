import type { Health } from '../../catalog/schema.ts';
import { brief, type ProbeContext, type ProbeResult, type ProbeTarget } from './types.ts';
import { withoutNamedSecrets } from '../../plan/diff/sensitive.ts';

/** A command in a container of the pod: exit code 0 is good. */
export async function probeExec(
  context: ProbeContext,
  target: ProbeTarget,
  health: Extract<Health, { kind: 'exec' }>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { exitCode, stdout, stderr } = await context.kubernetes.exec(target, health.container, health.command, signal);
  const program = health.command[0] ?? '';
  // A client that cannot connect may repeat what it was given.
  const [errors, output] = [stderr, stdout].map((text) => brief(withoutNamedSecrets(text, () => '[redacted]')));
  const said = errors || output || '';
  return exitCode === 0
    ? { ok: true, text: `${program} exited 0` }
    : { ok: false, text: `${program} exited ${exitCode}${said === '' ? '' : `: ${said}`}` };
}
