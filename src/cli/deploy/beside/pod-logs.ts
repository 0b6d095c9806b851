/**
 * What pods write, beside the picture of an operation: of the service that was asked for, and in the live tree the ends
 * of logs of whatever a wait has met something with.
 */
import type { Clients } from '../../../clients/index.ts';
import { followPodLogs, type LogLine, readPodLogs } from '../../../effects/pod-logs.ts';
import { resolveConnections } from '../../../environment/connections.ts';
import { releasesOf } from '../../../plan/releases.ts';
import { withClients } from '../../shared/clients.ts';
import { pause } from '../../shared/pause.ts';
import { requireOwnCluster } from '../binding.ts';
import type { Beside } from '../follow.ts';
import type { Session } from '../session.ts';

/** Of each container, to begin with. */
const FIRST_LINES = 5;
const TROUBLE_LINES = 3;
const TROUBLE_EVERY_MS = 5000;
const LOOK_MS = 1000;
/** An API server that is away is asked again after this time. */
const AGAIN_MS = 5000;

/** @returns what adds them, until its signal; the cluster is asked only once there is something to ask for */
export function watchPodLogs(session: Session): (to: Beside) => Promise<void> {
  const { context, environment, follow, json, renderer } = session;
  return async (to) => {
    const { signal } = to;
    const live = context.terminal.live && !json;
    if (follow === undefined && !live) return;
    const told = new Set<string>();
    const tell = (text: string): void => {
      if (follow !== undefined && !told.has(text) && !signal.aborted)
        renderer.notice(`What ${follow} writes cannot be shown: ${text}`);
      told.add(text);
    };
    while (!signal.aborted) {
      if (follow === undefined && causesOf(to).length === 0) {
        await pause(LOOK_MS, signal);
        continue;
      }
      try {
        const connections = await resolveConnections(environment, context.config);
        await withClients(context, environment, connections, async (clients) => {
          await requireOwnCluster(clients, signal);
          await Promise.all([
            follow === undefined ? undefined : followService(clients, follow, to, tell),
            live ? readTroubles(clients, to) : undefined,
          ]);
        });
      } catch (error) {
        tell(error instanceof Error ? error.message : String(error));
      }
      await pause(AGAIN_MS, signal);
    }
  };
}

async function followService(
  clients: Clients,
  name: string,
  { emit, signal }: Beside,
  onProblem: (text: string) => void,
): Promise<void> {
  const service = clients.catalog.services.find((one) => one.name === name);
  if (!service) return;
  const onLine = (line: LogLine): void => {
    if (!signal.aborted) emit({ kind: 'log', service: name, line });
  };
  await followPodLogs(clients, service, { lines: FIRST_LINES, signal, onLine, onProblem });
}

/** Ends with the signal. @throws what reading a log throws */
export async function readTroubles(clients: Parameters<typeof readPodLogs>[0], to: Beside): Promise<void> {
  const { emit, signal } = to;
  while (!signal.aborted) {
    for (const release of causesOf(to)) {
      const service = clients.catalog.services.find((one) => releasesOf(one).some(({ name }) => name === release));
      if (!service) continue;
      const { lines } = await readPodLogs(clients, service, { lines: TROUBLE_LINES, inTrouble: true, signal });
      // It may be over by now.
      if (causesOf(to).includes(release)) emit({ kind: 'trouble-log', release, lines: lines.slice(-TROUBLE_LINES) });
    }
    await pause(TROUBLE_EVERY_MS, signal);
  }
}

function causesOf({ view }: Beside): string[] {
  return [...new Set(Object.values(view().causes).map(({ release }) => release))];
}
