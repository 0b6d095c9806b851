/** What the full-screen view knows and where it stands. */
import type { OperationSummary } from '../../clients/temporal/overview.ts';
import type { LiveView } from '../render/live.ts';
import type { Tone } from '../shared/terminal.ts';

/** The newest is what an environment shows while one looks at it without having chosen a run. */
export type Run = Pick<OperationSummary, 'workflowId' | 'runId'>;

export const TABS = ['explain', 'logs', 'events'] as const;
export type Tab = (typeof TABS)[number];

export type Place =
  | { screen: 'environments' }
  | { screen: 'operations'; environment: string }
  | { screen: 'operation'; environment: string; run: Run }
  | { screen: 'service'; environment: string; run: Run; service: string; tab: Tab };

export interface ViewState {
  /** From the list of environments to what is shown: never empty. */
  places: readonly Place[];
  /** Key of the chosen row, by the place's name. */
  chosen: Readonly<Record<string, string>>;
  /** Only rows and lines that hold this text are shown. */
  filter: string;
  /** Keys go into the filter. */
  typing: boolean;
  /** Lines that a text is scrolled away from its beginning; a log from its end. */
  scroll: number;
}

export interface WatchData {
  /** Of all environments; absent until the engine has answered. */
  operations?: readonly OperationSummary[];
  /** Why what is shown may be old. */
  problem?: string;
  /** The operation that was opened. */
  view?: LiveView;
  /** Of the service that was opened; absent while it is read. */
  texts: Partial<Record<Tab, readonly string[]>>;
}

export interface Row {
  /** Absent: a heading, which cannot be chosen. */
  key?: string;
  text: string;
  tone?: Tone;
}

export const START: ViewState = {
  places: [{ screen: 'environments' }],
  chosen: {},
  filter: '',
  typing: false,
  scroll: 0,
};

export function placeOf({ places }: ViewState): Place {
  return places.at(-1) ?? { screen: 'environments' };
}

/** The same place has the same name, whatever has changed in it. */
export function placeName(place: Place): string {
  switch (place.screen) {
    case 'environments':
      return '';
    case 'operations':
      return place.environment;
    case 'operation':
      return `${place.environment}/${place.run.runId}`;
    case 'service':
      return `${place.environment}/${place.run.runId}/${place.service}/${place.tab}`;
  }
}
