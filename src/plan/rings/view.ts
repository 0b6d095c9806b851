/** How far rings are, as the workflow keeps it and people read it. Pure, and without Node. */
import type { Reached, RingsInput, RingsView, RingView } from '../../contract/operations/rings.ts';

/** Characters of a detail in a cell. */
const SHOWN = 200;

/** @param startedAt milliseconds since the epoch */
export function emptyView({ name, requestedBy, rings }: RingsInput, startedAt: number): RingsView {
  return {
    name,
    requestedBy,
    outcome: 'running',
    startedAt,
    rings: rings.map((ring) => ({
      name: ring.name,
      state: 'waiting',
      looks: 0,
      targets: ring.targets.map(({ environment }) => ({ environment, state: 'waiting' })),
      reasons: [],
    })),
  };
}

/** Writes down, in the view, which states are new. @param at milliseconds since the epoch */
export function markStates({ rings }: RingsView, at: number): void {
  const mark = <State>(one: { state: State; states?: Reached<State>[]; runId?: string }): void => {
    const states = (one.states ??= []);
    const { state, runId } = one;
    if (states.at(-1)?.state !== state) states.push({ state, at, ...(runId === undefined ? {} : { runId }) });
  };
  for (const ring of rings) {
    mark(ring);
    ring.targets.forEach(mark);
  }
}

/** Markdown for the Temporal UI. */
export function ringsDetails({ name, requestedBy, outcome, rings }: RingsView): string {
  return [
    `Rings **${name}**, asked for by ${requestedBy}: ${outcome}`,
    '',
    '| Ring | State | Environment | State | |',
    '|---|---|---|---|---|',
    ...rings.flatMap((ring) =>
      ring.targets.map(
        ({ environment, state, version, detail = '' }, at) =>
          `| ${at === 0 ? ring.name : ''} | ${at === 0 ? stateText(ring) : ''} | ${environment} | ${state}${version === undefined ? '' : `, version ${version}`} | ${cell(detail)} |`,
      ),
    ),
    ...rings.flatMap((ring) => furtherReasons(ring, SHOWN).map((reason) => `\n- ${ring.name}: ${reason}`)),
  ].join('\n');
}

/** `soaking until 12:30:00 UTC, 2 looks` */
export function stateText({ state, soaksUntil, looks }: RingView): string {
  if (state !== 'soaking' || soaksUntil === undefined) return state;
  return `soaking until ${new Date(soaksUntil).toISOString().slice(11, 19)} UTC, ${looks} ${looks === 1 ? 'look' : 'looks'} passed`;
}

/**
 * Why a ring failed, without what the rows of its environments say already.
 *
 * @param shown how many characters of a detail such a row shows
 */
export function furtherReasons({ reasons, targets }: RingView, shown: number): string[] {
  const said = targets.flatMap(({ environment, detail }) =>
    detail === undefined || detail.length > shown ? [] : [`${environment}: ${detail}`],
  );
  return reasons.filter((reason) => !said.includes(reason));
}

/** The failure that ends the whole run: that of the first ring that failed. */
export function failureText({ name, rings }: RingsView): string {
  const failed = rings.find(({ state }) => state === 'failed');
  if (failed === undefined) return `Rings ${name} failed`;
  const left = rings.filter(({ state }) => state === 'not started').map((ring) => ring.name);
  return [
    `Ring ${failed.name} of ${name} failed${left.length === 0 ? '' : `; not started: ${left.join(', ')}`}:`,
    ...failed.reasons,
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, SHOWN);
}
