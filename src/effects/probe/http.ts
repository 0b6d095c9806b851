import type { Health } from '../../catalog/schema.ts';
import { requestPod } from './request.ts';
import { brief, type ProbeContext, type ProbeResult, type ProbeTarget } from './types.ts';

const KEPT_BYTES = 1000;

/** GET over a port-forward: any status below 400 is good, as for a kubelet. */
export async function probeHttp(
  context: ProbeContext,
  target: ProbeTarget,
  { port, path }: Extract<Health, { kind: 'http' }>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const what = `GET ${path}`;
  const { status, body } = await requestPod(context, target, { port, path, keep: KEPT_BYTES }, signal);
  return status >= 200 && status < 400
    ? { ok: true, text: `${what} ${status}` }
    : { ok: false, text: `${what} ${status}${body === '' ? '' : `: ${brief(body)}`}` };
}
