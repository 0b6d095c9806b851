/** The rows of each list: environments, their operations, the services of one. Marks and words, then colours. Pure. */
import type { OperationSummary } from '../../clients/temporal/overview.ts';
import { FINAL_STATES } from '../../contract/operations/states.ts';
import { counts, stateOf } from '../render/live.ts';
import { MARKS, note } from '../render/tree.ts';
import { clock, column, duration } from '../shared/format.ts';
import type { Tone } from '../shared/terminal.ts';
import { type Place, placeOf, type Row, type ViewState, type WatchData } from './model.ts';

const ENDS: Record<string, [mark: string, tone: Tone]> = {
  running: ['▸', 'busy'],
  succeeded: ['✔', 'good'],
  unchanged: ['=', 'good'],
  cancelled: ['■', 'bad'],
};
const NAME = 24;
const WORD = 10;
const TIME = 12;

/** Those that hold the filter; headings stay where a row below them does. @param now milliseconds since the epoch */
export function rowsOf(state: ViewState, data: WatchData, now: number): Row[] {
  const rows = allRows(placeOf(state), data, now);
  const wanted = state.filter.toLowerCase();
  if (wanted === '') return rows;
  const fits = rows.map(({ key, text }) => key !== undefined && text.toLowerCase().includes(wanted));
  return rows.filter((row, index) => {
    if (row.key !== undefined) return fits[index];
    const next = rows.findIndex(({ key }, other) => other > index && key === undefined);
    return fits.slice(index, next === -1 ? undefined : next).some(Boolean);
  });
}

function allRows(place: Place, data: WatchData, now: number): Row[] {
  const { operations = [] } = data;
  switch (place.screen) {
    case 'environments': {
      const names = [...new Set(operations.map(({ environment }) => environment))];
      return names.flatMap((name) => {
        const newest = operations.find(({ environment }) => environment === name);
        return newest ? [operationRow(newest, name, column(name, NAME), now)] : [];
      });
    }
    case 'operations':
      return operations
        .filter(({ environment }) => environment === place.environment)
        .map((one) => operationRow(one, one.runId, column(startText(one), NAME), now));
    case 'operation':
      return serviceRows(data, now);
    case 'service':
      return [];
  }
}

function operationRow(one: OperationSummary, key: string, first: string, now: number): Row {
  const [mark, tone] = ENDS[one.state] ?? ['✘', 'bad'];
  const seconds = ((one.endedAt ?? now) - one.startedAt) / 1000;
  const time = one.endedAt === undefined ? clock(seconds) : duration(seconds);
  const words = `${column(one.operation, WORD)} ${column(one.state, WORD)} ${time.padStart(TIME)}  ${one.requestedBy}`;
  return { key, text: `${mark} ${first} ${words}`.trimEnd(), tone };
}

function startText({ startedAt }: OperationSummary): string {
  return new Date(startedAt).toISOString().slice(0, 19).replace('T', ' ');
}

function serviceRows({ view }: WatchData, now: number): Row[] {
  const plan = view?.progress.plan;
  if (!view || !plan) return [];
  return plan.phases.flatMap(({ number, title }): Row[] => {
    const services = plan.services.filter(({ phase, action }) => phase === number && action !== 'excluded');
    if (services.length === 0) return [];
    const { ended, total, failed } = counts(
      view,
      services.map(({ name }) => name),
    );
    const heading = `${String(number).padStart(2)} ${title}  ${ended}/${total}${failed > 0 ? `, ${failed} failed` : ''}`;
    return [{ text: heading, tone: 'bold' }, ...services.map(({ name }) => serviceRow(view, name, now))];
  });
}

function serviceRow(view: NonNullable<WatchData['view']>, name: string, now: number): Row {
  const state = stateOf(view, name);
  const [mark, tone] = MARKS[state] ?? ['?', 'dim'];
  const seconds = view.progress.services[name]?.outcome?.seconds;
  const since = view.activeSince[name];
  const time =
    seconds !== undefined && seconds > 0
      ? clock(seconds)
      : since === undefined || FINAL_STATES.includes(state)
        ? ''
        : clock((now - since) / 1000);
  const about = `${column(name, NAME)} ${column(state, WORD)} ${time.padStart(7)}`;
  return { key: name, text: `  ${mark} ${about}  ${note(view, name, 200)}`.trimEnd(), tone };
}
