/** When an operation waited for people, or for leave to begin: from its events. Pure. */
import type { DeploymentEvent } from '../progress.ts';

/** `waits`: at a gate, or for the end of a freeze; `asked`: somebody was asked what to do about a failed service. */
export interface Hold {
  kind: 'waits' | 'paused' | 'asked';
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
  /** For what, or for whom: one line. */
  text: string;
}

interface Open {
  key: string;
  kind: Hold['kind'];
  text: string;
}

/** @param end of the operation, or of what is known of it: whatever is open lasts until then */
export function holdsIn(events: readonly DeploymentEvent[], end: number): Hold[] {
  const holds: Hold[] = [];
  const open = new Map<string, Hold>();
  const become = (kinds: readonly Hold['kind'][], now: readonly Open[], at: number): void => {
    for (const [key, hold] of open)
      if (kinds.includes(hold.kind) && !now.some((one) => one.key === key)) {
        hold.to = at;
        open.delete(key);
      }
    for (const { key, kind, text } of now) {
      if (open.has(key)) continue;
      const hold = { kind, from: at, to: end, text };
      open.set(key, hold);
      holds.push(hold);
    }
  };
  for (const event of events) {
    if (event.kind === 'waits')
      become(['waits'], event.wait ? [{ key: event.wait.step, kind: 'waits', text: event.wait.reason }] : [], event.at);
    if (event.kind === 'steering') {
      const { paused, questions } = event.steering;
      become(
        ['paused', 'asked'],
        [
          ...(paused
            ? [
                {
                  key: `paused ${paused.since}`,
                  kind: 'paused' as const,
                  text: `paused by ${paused.by}: ${paused.reason}`,
                },
              ]
            : []),
          ...Object.values(questions).map(({ service, since, failure }) => ({
            key: `asked ${service} ${since}`,
            kind: 'asked' as const,
            text: `what to do about ${service}: ${failure}`,
          })),
        ],
        event.at,
      );
    }
  }
  return holds.map((hold) => ({ ...hold, to: Math.min(hold.to, end) })).filter(({ from, to }) => to >= from);
}
