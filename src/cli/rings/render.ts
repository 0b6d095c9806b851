/** How far rings are, for people and programs. Pure. */
import type { RingsView, RingTargetState, RingView } from '../../contract/operations/rings.ts';
import { stateText } from '../../plan/rings/view.ts';
import { oneLine, table } from '../shared/format.ts';
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
