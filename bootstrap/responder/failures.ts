/**
 * Which services' probes are to fail: one file per service, named like it, holding the mode. The responder looks at it
 * at every probe, so it holds from the next probe on and survives restarts.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readText, writeFileDurably } from '../process/files.ts';

/**
 * `unhealthy`: answers that it is not well (503, NOT_SERVING, exit code 1). `refuse`: closes the connection at once; a
 * command ends with 2. `hang`: takes the connection or starts, and never answers. Where the check is a plain
 * connection, the first two close the port and the third changes nothing.
 */
export const PROBE_FAILURES = ['unhealthy', 'refuse', 'hang'] as const;
export type ProbeFailure = (typeof PROBE_FAILURES)[number];

const SERVICE = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

export async function failProbe(folder: string, service: string, mode: ProbeFailure): Promise<void> {
  if (!SERVICE.test(service)) throw new Error(`"${service}" is not the name of a service`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFileDurably(join(folder, service), `${mode}\n`);
}

/** Heals one service, or all of them. */
export async function clearProbe(folder: string, service?: string): Promise<void> {
  if (service !== undefined) return rm(join(folder, service), { force: true });
  for (const name of await readdir(folder).catch(() => [])) await rm(join(folder, name), { force: true });
}

/** @returns undefined for a service that is well */
export async function probeFailure(folder: string, service: string): Promise<ProbeFailure | undefined> {
  if (!SERVICE.test(service)) return undefined;
  const mode = (await readText(join(folder, service)))?.trim();
  return PROBE_FAILURES.find((known) => known === mode);
}

/** The service in a name such as `auth.apps.svc:8080`. */
export function serviceOfHost(host: string | undefined): string {
  return (host ?? '').split(/[.:]/)[0] ?? '';
}
