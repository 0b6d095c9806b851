/**
 * The live picture as lines: one per phase, below it the services that are at work, waiting or failed. Never wider than
 * the columns and never taller than the rows it is given: what matters least is folded first.
 */
import { checkKey } from '../../contract/checks.ts';
import type { PlannedService } from '../../contract/operations/plan.ts';
import { FINAL_STATES, GOOD_STATES } from '../../contract/operations/states.ts';
import type { LogLine } from '../../plan/explain/log-line.ts';
import { type CheckProgress, waitsFor } from '../../plan/progress.ts';
import { heldLines } from '../../plan/steering/words.ts';
import { clock, column, count, oneLine, truncate, wrap } from '../shared/format.ts';
import type { Style, Tone } from '../shared/terminal.ts';
import { type Counts, counts, detailOf, type LiveView, slow, stateOf } from './live.ts';
import { formatTimeLeft, describeSlow } from './pace-words.ts';
import { waitText } from './waits.ts';

export interface TreeOptions {
  environment: string;
  /** Milliseconds since the epoch. */
  now: number;
  columns: number;
  rows: number;
  style: Style;
}

const PHASE_WIDTH = 36;
const NAME_WIDTH = 26;
const STATE_WIDTH = 9;
const CLOCK_WIDTH = 7;
const NOTE_COLUMN = 6 + NAME_WIDTH + 1 + STATE_WIDTH + 1 + CLOCK_WIDTH + 1;
export const MARKS: Record<string, [mark: string, tone: Tone]> = {
  waiting: ['·', 'dim'],
  applying: ['▸', 'busy'],
  starting: ['▸', 'busy'],
  healthy: ['✔', 'good'],
  completed: ['✔', 'good'],
  unchanged: ['=', 'good'],
  failed: ['✘', 'bad'],
  skipped: ['-', 'dim'],
  cancelled: ['■', 'bad'],
};

const CHECK_MARKS: Record<CheckProgress['state'], [mark: string, tone: Tone]> = {
  running: ['▸', 'busy'],
  passed: ['✔', 'good'],
  failed: ['✘', 'bad'],
  cancelled: ['■', 'bad'],
};

/** Levels of folding; each hides one thing more than the level before. */
const LEVELS = [
  'all',
  'no waiting services',
  'phases done or waiting in one line each',
  'only what is at work or failed',
] as const;

export function treeLines(view: LiveView, options: TreeOptions): string[] {
  const log = logLines(view, options);
  const picture = pictureLines(view, { ...options, rows: options.rows - log.length });
  return [...picture, ...log];
}

/** The newest lines of the service that was asked for, in the lower third. */
function logLines(view: LiveView, options: TreeOptions): string[] {
  const most = Math.floor(options.rows / 3);
  if (most === 0) return [];
  const shown = view.log.slice(-most);
  return shown.map((line) => options.style('dim', fit(podText(line, '  '), options)));
}

function podText({ pod, container, text }: LogLine, indent: string): string {
  return `${indent}${pod}/${container} | ${oneLine(text)}`;
}

function pictureLines(view: LiveView, options: TreeOptions): string[] {
  const head = headline(view, options);
  if (!view.progress.plan) return [head, ...retryLines(view, options)].slice(0, Math.max(1, options.rows - 1));
  const room = Math.max(1, options.rows - 1);
  const above = [head, ...retryLines(view, options)];
  const checks = checkLines(view, options);
  let lines: string[] = [];
  for (const level of LEVELS.keys()) {
    lines = [...above, ...phaseLines(view, options, level), ...checks];
    if (lines.length <= room) return lines;
  }
  const shown = Math.max(1, room - 1);
  return [
    ...lines.slice(0, shown),
    options.style('dim', fit(`  … ${count(lines.length - shown, 'more line')}`, options)),
  ].slice(0, room);
}

function headline(view: LiveView, options: TreeOptions): string {
  const elapsed = view.progress.startedAt === 0 ? '' : clock((options.now - view.progress.startedAt) / 1000);
  if (!view.progress.plan) return fit(`${options.environment}: planning  ${elapsed}`.trimEnd(), options);
  const { total, ended, active, waiting } = counts(view);
  const left = formatTimeLeft(view, options.now);
  const parts = [
    `${ended}/${total} done`,
    ...(active > 0 ? [`${active} at work`] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
  ];
  const time = left === undefined ? elapsed : `${elapsed}, ${left}`;
  return options.style('bold', fit(`${options.environment}: ${parts.join(', ')}   ${time}`, options));
}

/** What is tried again, and what waits have met, belongs to the top: it is the answer to "why does it take so long". */
function retryLines(view: LiveView, options: TreeOptions): string[] {
  const { waits, steering } = view.progress;
  const retries = Object.values(view.retries);
  const lines = waits ? wrap(`It ${waitText(waits, options.now)}`, options.columns - 3).map((line) => `  ${line}`) : [];
  for (const held of steering ? heldLines(steering) : [])
    lines.push(...wrap(oneLine(held), options.columns - 3).map((line) => `  ${line}`));
  const tried = retries
    .slice(0, 3)
    .map((retry) => fit(`  try ${retry.attempt} of ${retry.activity}: ${oneLine(retry.message)}`, options));
  lines.push(...tried);
  if (retries.length > 3) lines.push(fit(`  … and ${retries.length - 3} more are tried again`, options));
  const causes = Object.values(view.causes);
  lines.push(
    ...causes.slice(0, 3).map(({ release, message }) => fit(`  ${release} waits: ${oneLine(message)}`, options)),
  );
  if (causes.length > 3) lines.push(fit(`  … and ${causes.length - 3} more wait for something`, options));
  lines.push(
    ...slow(view, options.now)
      .slice(0, 3)
      .map((one) => fit(`  ${describeSlow(one)}`, options)),
  );
  return lines.map((line) => options.style('bad', line));
}

function phaseLines(view: LiveView, options: TreeOptions, level: number): string[] {
  const plan = view.progress.plan;
  const lines: string[] = [];
  const folded = { done: 0, waiting: 0 };
  for (const { number, title } of plan?.phases ?? []) {
    // What was not selected is no part of the picture.
    const services = (plan?.services ?? []).filter(
      (service) => service.phase === number && service.action !== 'excluded',
    );
    if (services.length === 0 && plan?.services.some(({ phase }) => phase === number)) continue;
    const tally = counts(
      view,
      services.map(({ name }) => name),
    );
    const good = services.filter(({ name }) => GOOD_STATES.includes(stateOf(view, name))).length;
    if (level >= 2 && (good === tally.total || tally.waiting === tally.total)) {
      folded[good === tally.total ? 'done' : 'waiting'] += 1;
      continue;
    }
    const [mark, tone] = phaseMark(tally, good);
    const name = `${String(number).padStart(2)} ${title}`;
    const left = `${mark} ${column(name, PHASE_WIDTH)}`;
    const right =
      tally.waiting === tally.total ? waitingPhase(view, services, options.columns) : `${good}/${tally.total}`;
    if (level < 3) lines.push(options.style(tone, fit(`${left} ${right}`, options)));
    // A phase that is done, or that nothing has begun of, is one line.
    if (good === tally.total || tally.waiting === tally.total) continue;
    lines.push(...services.flatMap((service) => serviceLine(view, service, options, level)));
  }
  if (level === 2 && folded.done > 0)
    lines.unshift(options.style('good', fit(`✔ ${count(folded.done, 'phase')} done`, options)));
  if (level === 2 && folded.waiting > 0)
    lines.push(options.style('dim', fit(`· ${count(folded.waiting, 'phase')} waiting`, options)));
  return lines;
}

/** The verification stage: like a phase, from its first check on. */
function checkLines(view: LiveView, options: TreeOptions): string[] {
  const begun = Object.values(view.progress.checks ?? {});
  const due = (view.progress.plan?.checks ?? []).filter(({ skipped }) => skipped === undefined).length;
  if (begun.length === 0) return [];
  const passed = begun.filter(({ state }) => state === 'passed').length;
  const running = begun.some(({ state }) => state === 'running');
  const [mark, tone]: [string, Tone] = begun.some(({ state }) => state === 'failed')
    ? ['✘', 'bad']
    : running || passed < due
      ? ['▸', 'busy']
      : ['✔', 'good'];
  const title = column('   Verification: checks', PHASE_WIDTH);
  const open = begun.filter(({ state }) => state !== 'passed');
  return [
    options.style(tone, fit(`${mark} ${title} ${passed}/${Math.max(due, begun.length)}`, options)),
    ...open.map(({ state, since, ended, text = '', ...check }) => {
      const [sign, toneOf] = CHECK_MARKS[state];
      const seconds = ((ended ?? options.now) - since) / 1000;
      const left = `    ${sign} ${column(checkKey(check), NAME_WIDTH)} ${column(state, STATE_WIDTH)}`;
      const line = `${left} ${clock(seconds).padStart(CLOCK_WIDTH - 1)}  ${oneLine(text)}`;
      return options.style(toneOf, fit(line.trimEnd(), options));
    }),
  ];
}

function phaseMark(tally: Counts, good: number): [mark: string, tone: Tone] {
  if (tally.failed > 0) return ['✘', 'bad'];
  if (good === tally.total) return ['✔', 'good'];
  if (tally.waiting === tally.total) return ['·', 'dim'];
  // Ended, not failed and not good: skipped or cancelled.
  return tally.ended === tally.total ? ['-', 'dim'] : ['▸', 'busy'];
}

/** What a phase that has not begun waits for: dependencies outside it. */
function waitingPhase(view: LiveView, services: readonly PlannedService[], columns: number): string {
  const own = new Set(services.map(({ name }) => name));
  const names = new Set(services.flatMap(({ name }) => waitsFor(view.progress, name)).filter((name) => !own.has(name)));
  return `waits for ${listNames([...names], columns - PHASE_WIDTH - 14)}`;
}

/** As many names as fit, then how many more. */
function listNames(names: readonly string[], width: number): string {
  if (names.length === 0) return 'its turn';
  for (let shown = names.length; shown > 0; shown -= 1) {
    const text = [...names.slice(0, shown), ...(shown < names.length ? [`${names.length - shown} more`] : [])].join(
      ', ',
    );
    if (text.length <= width || names.length === 1) return text;
  }
  return count(names.length, 'service');
}

function serviceLine(view: LiveView, service: PlannedService, options: TreeOptions, level: number): string[] {
  const state = stateOf(view, service.name);
  if (GOOD_STATES.includes(state) || (state === 'skipped' && level >= 1)) return [];
  if (state === 'waiting' && level >= 1) return [];
  const [mark, tone] = MARKS[state] ?? ['?', 'dim'];
  const progress = view.progress.services[service.name];
  const since = view.activeSince[service.name];
  const elapsed = progress?.outcome
    ? clock(progress.outcome.seconds)
    : since === undefined || FINAL_STATES.includes(state)
      ? ''
      : clock((options.now - since) / 1000);
  const text = `    ${mark} ${column(service.name, NAME_WIDTH)} ${column(state, STATE_WIDTH)} ${elapsed.padStart(CLOCK_WIDTH - 1)}  ${note(view, service.name, options.columns - NOTE_COLUMN)}`;
  return [options.style(tone, fit(text.trimEnd(), options)), ...troubleLines(view, service, options)];
}

/** What its pods in trouble have said last. */
function troubleLines(view: LiveView, { steps }: PlannedService, options: TreeOptions): string[] {
  return steps
    .flatMap(({ name }) => view.troubleLog[name] ?? [])
    .map((line) => options.style('dim', fit(podText(line, '        '), options)));
}

/** What a row says of a service beside its state: why it failed, what it waits for, what happens to it. */
export function note(view: LiveView, service: string, width: number): string {
  const progress = view.progress.services[service];
  if (progress?.outcome?.failure) return oneLine(progress.outcome.failure.message);
  if (stateOf(view, service) === 'waiting') return `for ${listNames(waitsFor(view.progress, service), width - 5)}`;
  return oneLine(detailOf(view.progress, service));
}

function fit(text: string, options: TreeOptions): string {
  // One column stays free: some terminals wrap a line that is exactly full.
  return truncate(text, Math.max(1, options.columns - 1));
}
