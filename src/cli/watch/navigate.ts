/** From one state of the view to the next, by a key. Pure. */
import type { OperationSummary } from '../../clients/temporal/overview.ts';
import { type Place, placeName, placeOf, type Row, TABS, type ViewState } from './model.ts';

export type Key =
  | { press: 'up' | 'down' | 'pageUp' | 'pageDown' | 'home' | 'end' | 'enter' | 'back' | 'next' | 'previous' | 'erase' }
  /** A character that was typed. */
  | { type: string };

export interface Seen {
  /** As they are shown now, the filter applied. */
  rows: readonly Row[];
  /** Lines of a text that is shown instead of rows. */
  lines: number;
  /** Rows or lines that fit the screen. */
  height: number;
  operations: readonly OperationSummary[];
}

/** @returns undefined when the view is to end */
export function navigate(state: ViewState, key: Key, seen: Seen): ViewState | undefined {
  if (state.typing) return typed(state, key);
  if ('type' in key) {
    if (key.type === 'q') return undefined;
    if (key.type === '/') return { ...state, typing: true };
    const vi = ({ k: 'up', j: 'down', l: 'enter', h: 'back', g: 'home', G: 'end' } as const)[key.type];
    return vi === undefined ? state : navigate(state, { press: vi }, seen);
  }
  switch (key.press) {
    case 'enter':
      return opened(state, seen);
    case 'back':
      if (state.filter !== '') return { ...state, filter: '', scroll: 0 };
      return state.places.length > 1 ? { ...state, places: state.places.slice(0, -1), scroll: 0 } : state;
    case 'next':
    case 'previous':
      return turned(state, key.press === 'next' ? 1 : -1);
    case 'erase':
      return state;
    default:
      return placeOf(state).screen === 'service' ? scrolled(state, key.press, seen) : moved(state, key.press, seen);
  }
}

function typed(state: ViewState, key: Key): ViewState {
  if ('type' in key) return { ...state, filter: state.filter + key.type, scroll: 0 };
  if (key.press === 'enter') return { ...state, typing: false };
  if (key.press === 'back') return { ...state, typing: false, filter: '', scroll: 0 };
  return key.press === 'erase' ? { ...state, filter: state.filter.slice(0, -1), scroll: 0 } : state;
}

/** The row that is chosen, or the first one where that is gone. */
export function chosenRow({ chosen, places }: ViewState, rows: readonly Row[]): Row | undefined {
  const wanted = chosen[placeName(places.at(-1) ?? { screen: 'environments' })];
  const able = rows.filter(({ key }) => key !== undefined);
  return able.find(({ key }) => key === wanted) ?? able[0];
}

type Move = 'up' | 'down' | 'pageUp' | 'pageDown' | 'home' | 'end';

/** How far each key goes. */
function distance(move: Move, height: number): number {
  const page = Math.max(1, height - 1);
  return { up: -1, down: 1, pageUp: -page, pageDown: page, home: -Infinity, end: Infinity }[move];
}

function moved(state: ViewState, move: Move, { rows, height }: Seen): ViewState {
  const able = rows.filter(({ key }) => key !== undefined);
  const current = chosenRow(state, rows);
  const at = current ? able.indexOf(current) : -1;
  const next = able[Math.min(able.length - 1, Math.max(0, at + distance(move, height)))];
  return next?.key === undefined
    ? state
    : { ...state, chosen: { ...state.chosen, [placeName(placeOf(state))]: next.key } };
}

/** A log is anchored at its end. */
function scrolled(state: ViewState, move: Move, { lines, height }: Seen): ViewState {
  const place = placeOf(state);
  const fromEnd = place.screen === 'service' && place.tab === 'logs';
  const by = distance(move, height) * (fromEnd ? -1 : 1);
  return { ...state, scroll: Math.min(Math.max(0, lines - height), Math.max(0, state.scroll + by)) };
}

function turned(state: ViewState, by: number): ViewState {
  const place = placeOf(state);
  if (place.screen !== 'service') return state;
  const tab = TABS[(TABS.indexOf(place.tab) + by + TABS.length) % TABS.length] ?? 'explain';
  return { ...state, places: [...state.places.slice(0, -1), { ...place, tab }], scroll: 0 };
}

function opened(state: ViewState, { rows, operations }: Seen): ViewState {
  const key = chosenRow(state, rows)?.key;
  const next = key === undefined ? undefined : placeBehind(placeOf(state), key, operations);
  return next ? { ...state, places: [...state.places, next], filter: '', scroll: 0 } : state;
}

function placeBehind(place: Place, key: string, operations: readonly OperationSummary[]): Place | undefined {
  switch (place.screen) {
    case 'environments':
      return { screen: 'operations', environment: key };
    case 'operations': {
      const run = operations.find(({ runId }) => runId === key);
      return run && { screen: 'operation', environment: place.environment, run };
    }
    case 'operation':
      return { ...place, screen: 'service', service: key, tab: 'explain' };
    case 'service':
      return undefined;
  }
}
