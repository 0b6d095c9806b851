/** The timeline: a bar for each service and check, and above them what was waited for and decided. Pure. */
import { checkKey } from '../../contract/checks.ts';
import { duration } from '../../duration.ts';
import { actText } from '../steering/acts.ts';
import { group, row, type Scale, scaleOf } from './bars.ts';
import type { Hold } from './holds.ts';
import { text, toneOf } from './markup.ts';
import { type OperationReport, type ReportedCheck, type ReportedService, type Segment, secondsIn } from './report.ts';

export const STATES: [Segment['state'], string][] = [
  ['waiting', 'waiting for dependencies'],
  ['applying', 'Helm at work'],
  ['starting', 'pods and health check awaited'],
  ['removing', 'being removed'],
];
const HOLDS: [Hold['kind'], string][] = [
  ['waits', 'waiting for leave to begin'],
  ['paused', 'paused'],
  ['asked', 'somebody was asked'],
];

export function timeline(report: OperationReport): string {
  const scale = scaleOf(report);
  const shown = report.services.filter(({ segments }) => segments.length > 0);
  const phases = report.phases.flatMap(({ number, title }) => {
    const own = shown.filter(({ phase }) => phase === number);
    return own.length === 0
      ? []
      : [
          group(
            `${number}. ${title}`,
            own.map((service) => serviceRow(service, scale)),
          ),
        ];
  });
  const { checks } = report;
  const rows = [
    ...people(report, scale),
    ...phases,
    ...(checks.length === 0
      ? []
      : [
          group(
            'Verification',
            checks.map((check) => checkRow(check, scale)),
          ),
        ]),
  ];
  return `<section aria-labelledby="timeline"><h2 id="timeline" tabindex="-1">Timeline</h2>
<p class="dim">From 0 to ${duration((report.endedAt - report.startedAt) / 1000)}.${keys(report, shown)}</p>
${phases.length === 0 ? '<p>Nothing was to be done for any service.</p>' : ''}
${rows.join('\n')}
</section>`;
}

function keys({ holds, checks }: OperationReport, shown: readonly ReportedService[]): string {
  const states = STATES.filter(([state]) =>
    shown.some(({ segments }) => segments.some((segment) => segment.state === state)),
  );
  const kinds = HOLDS.filter(([kind]) => holds.some((hold) => hold.kind === kind));
  const all = [...states, ...kinds, ...(checks.length === 0 ? [] : [['check', 'a check'] as const])];
  return all.map(([name, words]) => `<span class="key ${name}" aria-hidden="true"></span>${words}`).join('');
}

/** What it waited for, a row for each kind, and a mark for everything that somebody has decided. */
function people({ holds, acts, startedAt }: OperationReport, scale: Scale): string[] {
  const rows = HOLDS.flatMap(([kind, words]) => {
    const own = holds.filter((hold) => hold.kind === kind);
    if (own.length === 0) return [];
    const spoken = own.map(({ from, to, text: why }) => `${duration((to - from) / 1000)} ${why}`).join('; ');
    const bars = own.map(({ from, to }) => `<i class="${kind}" style="${scale.span(from, to)}"></i>`).join('');
    const sum = own.reduce((all, { from, to }) => all + (to - from) / 1000, 0);
    return [row(`<span>${words}</span>`, `${words}: ${spoken}`, bars, `<span class="busy">${duration(sum)}</span>`)];
  });
  if (acts.length > 0) {
    const after = (moment: string): number => Math.max(0, (Date.parse(moment) - startedAt) / 1000);
    const spoken = acts.map((act) => `after ${duration(after(act.at))} ${actText(act)}`).join('; ');
    const marks = acts.map((act) => mark(act.at, actText(act), scale)).join('');
    rows.push(row('<a href="#acts">decisions</a>', `Decisions: ${spoken}`, marks, `<span>${acts.length}</span>`));
  }
  return rows.length === 0 ? [] : [group('People', rows)];
}

function mark(moment: string, words: string, { at }: Scale): string {
  return `<i class="act" style="left:${at(Date.parse(moment))}%" title="${text(words)}"></i>`;
}

function serviceRow(service: ReportedService, scale: Scale): string {
  const { name, critical, segments, state } = service;
  return row(
    `<a class="${critical ? 'critical' : ''}" href="#service-${text(name)}">${text(name)}</a>`,
    spokenOf(service),
    segments
      .map((segment) => `<i class="${segment.state}" style="${scale.span(segment.from, segment.to)}"></i>`)
      .join(''),
    `<span class="${toneOf(state)}">${text(state)}</span>`,
  );
}

function checkRow(check: ReportedCheck, scale: Scale): string {
  const { state, from, to } = check;
  return row(
    `<a href="#checks">${text(checkKey(check))}</a>`,
    `check ${checkKey(check)}: ${duration((to - from) / 1000)}, ${state}`,
    `<i class="check${state === 'failed' ? ' lost' : ''}" style="${scale.span(from, to)}"></i>`,
    `<span class="${toneOf(state)}">${state}</span>`,
  );
}

function spokenOf(service: ReportedService): string {
  const sums = secondsIn(service);
  const parts = STATES.flatMap(([state, words]) =>
    sums[state] === undefined ? [] : [`${duration(sums[state])} ${words}`],
  );
  return `${service.name}: ${[...parts, service.state].join(', ')}`;
}
