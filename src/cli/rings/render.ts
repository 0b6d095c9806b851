/** How far rings are, for people and programs. Pure. */
import type { PlannedRing, RingsView, RingTargetState, RingView } from '../../contract/operations/rings.ts';
import { stateText } from '../../plan/rings/view.ts';
import type { PlatformChanges } from '../../plan/diff/types.ts';
import { duration, oneLine, table } from '../shared/format.ts';
import type { Style, Tone } from '../shared/terminal.ts';

const TONES: Partial<Record<RingTargetState | RingView['state'], Tone>> = {
  passed: 'good',
  failed: 'bad',
  deploying: 'busy',
  soaking: 'busy',
};

export function ringsLines({ name, requestedBy, outcome, rings }: RingsView, style: Style): string[] {
  return [
    style('bold', `Rings ${name}, asked for by ${requestedBy}: ${outcome}`),
    ...rings.flatMap((ring) => [
      style(TONES[ring.state] ?? 'dim', `${ring.name}: ${stateText(ring)}`),
      ...table(
        ring.targets.map(({ environment, state, version, detail = '' }) => [
          `  ${environment}`,
          `${state}${version === undefined ? '' : `, version ${version}`}`,
          oneLine(detail).slice(0, 120),
        ]),
      ),
      ...ring.reasons.map((reason) => style('bad', `  ${oneLine(reason)}`)),
    ]),
  ];
}

/** What is new since: a line for each ring and environment whose state has changed. */
export function changesSince(before: RingsView | undefined, now: RingsView): string[] {
  return now.rings.flatMap((ring, at) => {
    const old = before?.rings[at];
    return [
      ...(old?.state === ring.state || ring.state === 'waiting' ? [] : [`${ring.name}: ${stateText(ring)}`]),
      ...ring.targets.flatMap(({ environment, state, detail }, index) =>
        old?.targets[index]?.state === state || state === 'waiting'
          ? []
          : [`${ring.name}: ${environment} ${state}${detail === undefined ? '' : ` (${oneLine(detail)})`}`],
      ),
    ];
  });
}

interface PlannedRingView extends Pick<PlannedRing, 'name' | 'soak' | 'onFailure'> {
  environments: readonly Pick<PlatformChanges, 'environment' | 'digest' | 'changes' | 'services'>[];
}

/** What each ring would do: a line for each environment, and for each service that is changed there. */
export function ringsPlanLines(rings: readonly PlannedRingView[], style: Style): string[] {
  return rings.flatMap(({ name, soak, onFailure, environments }) => [
    style('bold', `${name}: ${soakText(soak)}, on a failure ${onFailure === 'halt' ? 'halts' : 'is rolled back'}`),
    ...environments.flatMap(({ environment, digest, changes, services }) => {
      const touched = services.filter(({ action }) => action !== 'skip');
      return [
        `  ${environment}: plan ${digest}, ${changes ? `${touched.length} of ${services.length} services` : 'nothing to do'}`,
        ...table(
          touched.map((service) => [`    ${service.name}`, service.action, oneLine(service.reason).slice(0, 120)]),
        ),
      ];
    }),
  ]);
}

function soakText({ seconds, looks }: PlannedRing['soak']): string {
  return seconds === 0 ? 'does not soak' : `soaks ${duration(seconds)}, looked at ${looks} times`;
}
