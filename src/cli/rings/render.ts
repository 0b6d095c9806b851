/** How far rings are, for people and programs. Pure. */
import type { PlannedRing, RingsView, RingTargetState, RingView } from '../../contract/operations/rings.ts';
import { furtherReasons, stateText } from '../../plan/rings/view.ts';
import type { RingsRun } from '../../clients/temporal/rings.ts';
import type { PlatformChanges } from '../../plan/diff/types.ts';
import { commandLine, duration, oneLine, table, truncate } from '../shared/format.ts';
import type { Style, Tone } from '../shared/terminal.ts';

const TONES: Partial<Record<RingTargetState | RingView['state'], Tone>> = {
  passed: 'good',
  failed: 'bad',
  deploying: 'busy',
  soaking: 'busy',
};

/** Characters of what a row says of an environment. */
const SHOWN = 240;

export function ringsLines({ name, requestedBy, outcome, rings }: RingsView, style: Style): string[] {
  return [
    style('bold', `Rings ${name}, asked for by ${requestedBy}: ${outcome}`),
    ...rings.flatMap((ring) => [
      style(TONES[ring.state] ?? 'dim', `${ring.name}: ${stateText(ring)}`),
      ...table(
        ring.targets.map(({ environment, state, version, detail = '', held = [] }) => [
          `  ${environment}`,
          `${state}${version === undefined ? '' : `, version ${version}`}`,
          oneLine([detail, ...held].filter((text) => text !== '').join('; ')).slice(0, SHOWN),
        ]),
      ),
      ...furtherReasons(ring, SHOWN).map((reason) => style('bad', `  ${oneLine(reason)}`)),
    ]),
  ];
}

/** What is new since: a line for each ring and environment whose state has changed. */
export function changesSince(before: RingsView | undefined, now: RingsView): string[] {
  return now.rings.flatMap((ring, at) => {
    const old = before?.rings[at];
    return [
      ...(old?.state === ring.state || ring.state === 'waiting' ? [] : [`${ring.name}: ${stateText(ring)}`]),
      ...ring.targets.flatMap(({ environment, state, detail, held = [] }, index) => {
        const known = old?.targets[index];
        const news = held.filter((text) => known?.held?.includes(text) !== true);
        return [
          ...(known?.state === state || state === 'waiting'
            ? []
            : [`${ring.name}: ${environment} ${state}${detail === undefined ? '' : ` (${oneLine(detail)})`}`]),
          ...news.map((text) => `${ring.name}: ${environment} ${oneLine(text)}`),
        ];
      }),
    ];
  });
}

/** @param runs the newest first */
export function ringsHistoryLines(
  name: string,
  runs: readonly RingsRun[],
  { columns, style }: { columns: number; style: Style },
): string[] {
  const rows = runs.map(({ runId, requestedBy, outcome, startedAt, endedAt, view }) => [
    runId.slice(0, 8),
    new Date(startedAt).toISOString().slice(0, 16).replace('T', ' '),
    requestedBy,
    outcome,
    endedAt === undefined ? '' : duration((endedAt - startedAt) / 1000),
    view === undefined ? '' : whatCame(view),
  ]);
  const [header = '', ...lines] = table([['Run', 'When (UTC)', 'Who', 'Outcome', 'Took', 'What came of it'], ...rows]);
  return [
    style('bold', header),
    ...lines.map((line) => truncate(line.trimEnd(), columns)),
    '',
    `${style('bold', 'Next:')} ${commandLine('rings', 'report', name, '--run', runs[0]?.runId.slice(0, 8) ?? '')}   (one of them, as a file for a browser)`,
  ];
}

/** `canary passed; everybody failed: prod: it does not start` */
function whatCame({ rings }: RingsView): string {
  return rings
    .map(({ name, state, reasons: [reason] }) =>
      reason === undefined ? `${name} ${state}` : `${name} ${state}: ${oneLine(reason)}`,
    )
    .join('; ');
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
