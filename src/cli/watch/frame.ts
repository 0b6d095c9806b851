/** One screen as lines: never wider or higher than the terminal, and what is chosen always in sight. Pure. */
import { counts, slow } from '../render/live.ts';
import { formatTimeLeft, describeSlow } from '../render/pace-words.ts';
import { clock, count, truncate } from '../shared/format.ts';
import type { Tone } from '../shared/terminal.ts';
import { type Place, placeOf, TABS, type ViewState, type WatchData } from './model.ts';
import { chosenRow } from './navigate.ts';
import { rowsOf } from './rows.ts';

export interface FrameLine {
  text: string;
  tone?: Tone;
  chosen?: true;
}

export interface FrameOptions {
  columns: number;
  rows: number;
  /** Milliseconds since the epoch. */
  now: number;
}

/** Title, what stands above the list, a rule; and the line of keys below. */
const ABOVE = 3;
const BELOW = 1;

/** How many rows or lines fit between them. The lowest row of the terminal stays free: some scroll otherwise. */
export function bodyHeight({ rows }: Pick<FrameOptions, 'rows'>): number {
  return Math.max(1, rows - 1 - ABOVE - BELOW);
}

/** Lines of the text that is shown, the filter applied. */
export function textOf(state: ViewState, data: WatchData): string[] {
  const place = placeOf(state);
  if (place.screen !== 'service') return [];
  const wanted = state.filter.toLowerCase();
  return (data.texts[place.tab] ?? []).filter((line) => line.toLowerCase().includes(wanted));
}

export function frameOf(state: ViewState, data: WatchData, options: FrameOptions): FrameLine[] {
  const place = placeOf(state);
  const height = bodyHeight(options);
  const body = place.screen === 'service' ? textBody(state, data, height) : listBody(state, data, options.now, height);
  const padding = Array.from({ length: Math.max(0, height - body.length) }, (): FrameLine => ({ text: '' }));
  return [
    { text: title(place), tone: 'bold' as const },
    data.problem === undefined ? summary(place, data, options.now) : { text: data.problem, tone: 'bad' as const },
    { text: '─'.repeat(Math.max(1, options.columns - 1)), tone: 'dim' as const },
    ...body,
    ...padding,
    { text: keys(state, options.columns - 1), ...(state.typing ? {} : { tone: 'dim' as const }) },
  ]
    .slice(0, Math.max(1, options.rows - 1))
    .map((line) => ({ ...line, text: truncate(line.text, Math.max(1, options.columns - 1)) }));
}

function title(place: Place): string {
  const where = place.screen === 'environments' ? ['environments'] : [place.environment];
  if (place.screen === 'operation' || place.screen === 'service') where.push(place.run.runId.slice(-8));
  if (place.screen === 'service') where.push(place.service);
  return `ananta watch › ${where.join(' › ')}`;
}

function summary(place: Place, data: WatchData, now: number): FrameLine {
  const { operations, view } = data;
  if (operations === undefined) return { text: 'Asks the engine …' };
  if (place.screen === 'service') return { text: tabs(place.tab) };
  if (place.screen === 'environments') {
    const running = operations.filter(({ state }) => state === 'running').length;
    const names = new Set(operations.map(({ environment }) => environment)).size;
    return { text: `${count(names, 'environment')}, ${running === 0 ? 'nothing runs' : `${running} at work`}` };
  }
  if (place.screen === 'operations') {
    const own = operations.filter(({ environment }) => environment === place.environment);
    return { text: count(own.length, 'operation') };
  }
  if (!view) return { text: 'Reads the history …' };
  const slowest = slow(view, now)[0];
  return slowest ? { text: describeSlow(slowest), tone: 'bad' } : { text: operationSummary(view, now) };
}

function operationSummary(view: NonNullable<WatchData['view']>, now: number): string {
  const { plan, finished, startedAt } = view.progress;
  const { total, ended, active, waiting, failed } = counts(view);
  const tally = [
    `${ended}/${total} done`,
    ...(active > 0 ? [`${active} at work`] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ].join(', ');
  const what = finished?.operation ?? plan?.operation ?? '';
  if (finished) return `${what} ${finished.outcome} after ${clock(finished.seconds)}: ${tally}`;
  if (!plan) return `planning  ${clock((now - startedAt) / 1000)}`;
  const left = formatTimeLeft(view, now);
  return `${what}: ${tally}   ${clock((now - startedAt) / 1000)}${left === undefined ? '' : `, ${left}`}`;
}

function tabs(shown: string): string {
  return TABS.map((tab) => (tab === shown ? `[${tab}]` : ` ${tab} `)).join(' ');
}

function listBody(state: ViewState, data: WatchData, now: number, height: number): FrameLine[] {
  const rows = rowsOf(state, data, now);
  if (rows.length === 0) return [{ text: `  ${emptyText(state, data)}`, tone: 'dim' }];
  const chosen = chosenRow(state, rows);
  return window(rows, chosen ? rows.indexOf(chosen) : 0, height).map((row) => ({
    text: `${row === chosen ? '›' : ' '} ${withoutControls(row.text)}`,
    ...(row.tone === undefined ? {} : { tone: row.tone }),
    ...(row === chosen ? { chosen: true as const } : {}),
  }));
}

function withoutControls(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

/** A part around the chosen row, which shows the heading above it where there is room. */
function window<T>(rows: readonly T[], at: number, height: number): T[] {
  const first = Math.min(Math.max(0, at - Math.floor(height / 2)), Math.max(0, rows.length - height));
  return rows.slice(first, first + height);
}

function textBody(state: ViewState, data: WatchData, height: number): FrameLine[] {
  const place = placeOf(state);
  if (place.screen !== 'service') return [];
  if (data.texts[place.tab] === undefined) return [{ text: '  Reads …', tone: 'dim' }];
  const lines = textOf(state, data);
  if (lines.length === 0) return [{ text: `  ${emptyText(state, data)}`, tone: 'dim' }];
  const most = Math.max(0, lines.length - height);
  const scroll = Math.min(state.scroll, most);
  const first = place.tab === 'logs' ? most - scroll : scroll;
  return lines.slice(first, first + height).map((text) => ({ text: withoutControls(text) }));
}

function emptyText({ filter }: ViewState, { operations }: WatchData): string {
  if (filter !== '') return `Nothing holds "${filter}".`;
  return operations === undefined ? '' : 'There is nothing yet.';
}

/** Shorter where there is no room for words: how to get out is always there. */
function keys(state: ViewState, room: number): string {
  const { typing, filter } = state;
  if (typing) return `/${filter}█   enter keeps it, esc drops it`;
  const place = placeOf(state);
  const move = place.screen === 'service' ? '↑↓ scroll   ←→ tabs' : '↑↓ choose   enter opens';
  const long = `${move}   esc back   / filter${filter === '' ? '' : ` (${filter})`}   q quits`;
  if (long.length <= room) return long;
  return place.screen === 'service' ? 'q quits  esc  ↑↓ ←→  /' : 'q quits  esc  ↑↓ enter  /';
}
