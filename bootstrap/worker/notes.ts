/** What is said of a worker that cannot be replaced now. Pure. */
import type { DaemonRecord, DaemonSpec } from '../process/daemon.ts';

/** Names of what the worker would inherit now, and did not when it was started. */
function lackingVariables(
  running: Pick<DaemonRecord, 'variables'> | undefined,
  spec: Pick<DaemonSpec, 'variables'>,
): string[] {
  return (spec.variables ?? []).filter((name) => !(running?.variables ?? []).includes(name));
}

/** @param busy operations that run on it */
export function workerNotes(
  running: Pick<DaemonRecord, 'variables'> | undefined,
  spec: Pick<DaemonSpec, 'variables'>,
  busy: number,
): string[] {
  if (busy === 0) return [];
  const lacking = lackingVariables(running, spec);
  return [
    ...(lacking.length === 0
      ? []
      : [
          `The worker was started without ${lacking.join(', ')}, which this shell has, and cannot be replaced while a deployment runs: the plug-in by which it logs in to the cluster does not get them. Where it needs them: cancel, then deploy again from here.`,
        ]),
    'The worker still runs the code or the settings that it started with, since a deployment is running. The next `up` without one replaces it.',
  ];
}
