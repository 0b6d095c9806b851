/** Rings as one HTML file: when each ring and environment was deployed, soaked and taken back, and why. Pure. */
import type { Reached, RingsView, RingTargetView, RingView } from '../../contract/operations/rings.ts';
import { duration } from '../../duration.ts';
import { group, row, type Scale, scaleOf } from '../report/bars.ts';
import { headedRow, table, text, time } from '../report/markup.ts';
import { page, TIMELINE } from '../report/page.ts';
import { stateText } from './view.ts';

export interface RingsReport extends RingsView {
  runId: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** When they ended or, while they run, the time of the report. Milliseconds since the epoch. */
  endedAt: number;
  /** How the engine has ended them from outside: `terminated`. */
  ended?: string;
}

const TONES: Partial<Record<string, string>> = {
  succeeded: 'good',
  passed: 'good',
  deployed: 'good',
  failed: 'bad',
  cancelled: 'bad',
  terminated: 'bad',
  'not taken back': 'bad',
  waiting: 'dim',
  'not started': 'dim',
};
/** States in which something goes on, each with the class of its bar. */
const BARS: [state: string, bar: string, words: string][] = [
  ['queued', 'waiting', 'waiting for the lock of the environment'],
  ['deploying', 'applying', 'deploying'],
  ['soaking', 'starting', 'soaking'],
  ['taking back', 'removing', 'being taken back'],
];

export function renderRings(report: RingsReport): string {
  const { name, outcome, ended } = report;
  const said = ended ?? (outcome === 'running' ? 'still running' : outcome);
  return page({
    skipTo: TIMELINE,
    title: `Rings ${name}: ${said}`,
    heading: `Rings ${text(name)} <span class="${toneOf(ended ?? outcome)}">${text(said)}</span>`,
    header: facts(report),
    main: [reasons(report), timeline(report), targets(report)],
  });
}

function facts({ requestedBy, startedAt, endedAt, outcome, ended, rings, runId, name }: RingsReport): string {
  const environments = rings.flatMap((ring) => ring.targets);
  const passed = rings.filter(({ state }) => state === 'passed').length;
  const rows: [string, string][] = [
    ['Asked for by', text(requestedBy)],
    ['Began', time(startedAt)],
    [outcome === 'running' && ended === undefined ? 'Until now' : 'Took', duration((endedAt - startedAt) / 1000)],
    [
      'Rings',
      `${rings.length}, ${passed} passed; ${environments.length} ${environments.length === 1 ? 'environment' : 'environments'}`,
    ],
    ['Workflow', `rings/${text(name)}, run ${text(runId)}`],
  ];
  return `<dl class="facts">${rows.map(([term, value]) => `<dt>${term}</dt><dd>${value}</dd>`).join('')}</dl>`;
}

function reasons({ rings }: RingsReport): string {
  const found = rings.filter((ring) => ring.reasons.length > 0);
  if (found.length === 0) return '';
  const left = rings.filter(({ state }) => state === 'not started').map(({ name }) => name);
  return `<section aria-labelledby="reasons"><h2 id="reasons">Why it ended</h2>
${found.map((ring) => `<h3>${text(ring.name)}</h3><ul>${ring.reasons.map((reason) => `<li class="bad">${text(reason)}</li>`).join('')}</ul>`).join('\n')}
${left.length === 0 ? '' : `<p>Not started: ${text(left.join(', '))}.</p>`}
</section>`;
}

function timeline(report: RingsReport): string {
  const { rings, startedAt, endedAt } = report;
  const scale = scaleOf(report);
  const all = rings.flatMap((ring) => [ring, ...ring.targets]);
  const seen = BARS.filter(([state]) => all.some(({ states = [] }) => states.some((one) => one.state === state)));
  const keys = seen.map(([, bar, words]) => `<span class="key ${bar}" aria-hidden="true"></span>${words}`).join('');
  return `<section aria-labelledby="timeline"><h2 id="timeline" tabindex="-1">Timeline</h2>
<p class="dim">From 0 to ${duration((endedAt - startedAt) / 1000)}.${keys}</p>
${rings.map((ring) => group(ring.name, ringRows(ring, scale, endedAt))).join('\n')}
</section>`;
}

function ringRows(ring: RingView, scale: Scale, end: number): string[] {
  const looks = ring.looks === 0 ? '' : `, ${ring.looks} ${ring.looks === 1 ? 'look' : 'looks'} passed`;
  return [
    one(`<span>${text(ring.name)}</span>`, ring.name, { ...ring, end: `${stateText(ring)}${looks}` }, scale, end),
    ...ring.targets.map((target) =>
      one(
        `<a href="#environment-${text(target.environment)}">${text(target.environment)}</a>`,
        target.environment,
        { ...target, end: target.state },
        scale,
        end,
      ),
    ),
  ];
}

function one(
  name: string,
  spoken: string,
  { state, states = [], end: words }: { state: string; states?: readonly Reached<string>[] | undefined; end: string },
  scale: Scale,
  end: number,
): string {
  const passed = states.map((reached, index) => ({ ...reached, to: states[index + 1]?.at ?? end }));
  const shown = passed.flatMap(({ state: of, at, to }) => {
    const bar = BARS.find(([known]) => known === of);
    return bar === undefined ? [] : [{ bar: bar[1], words: bar[2], at, to }];
  });
  const said = shown.map(({ at, to, words: what }) => `${duration((to - at) / 1000)} ${what}`);
  return row(
    name,
    `${spoken}: ${[...said, words].join(', ')}`,
    shown.map(({ bar, at, to }) => `<i class="${bar}" style="${scale.span(at, to)}"></i>`).join(''),
    `<span class="${toneOf(state)}">${text(state)}</span>`,
  );
}

function targets({ rings }: RingsReport): string {
  const rows = rings.flatMap((ring) => ring.targets.map((target) => targetRow(ring, target)));
  return `<section aria-labelledby="environments"><h2 id="environments">Environments</h2>${table(
    'environments',
    ['Environment', 'Ring', 'State', 'Version', 'Asked by', 'What came of it', 'Runs'],
    rows,
  )}</section>`;
}

function targetRow(ring: RingView, target: RingTargetView): string {
  const { environment, state, version, requester = '', detail = '', held = [], states = [] } = target;
  const runs = [...new Set(states.flatMap(({ runId }) => runId ?? []))];
  return headedRow([
    `<span id="environment-${text(environment)}">${text(environment)}</span>`,
    text(ring.name),
    `<span class="${toneOf(state)}">${text(state)}</span>`,
    version === undefined ? '' : String(version),
    text(requester),
    [detail, ...held].map(text).join('<br>'),
    runs.map((run) => `<code>${text(run)}</code>`).join('<br>'),
  ]);
}

function toneOf(state: string): string {
  return TONES[state] ?? 'busy';
}
