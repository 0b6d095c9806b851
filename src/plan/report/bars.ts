/** Rows with bars on a common scale of time. Pure. */
import { text } from './markup.ts';

/** Position of a moment on the scale, in percent. */
export interface Scale {
  at: (moment: number) => string;
  /** As CSS. */
  span: (from: number, to: number) => string;
}

/** @param whole milliseconds since the epoch */
export function scaleOf({ startedAt, endedAt }: { startedAt: number; endedAt: number }): Scale {
  const total = Math.max(1, endedAt - startedAt);
  const percent = (milliseconds: number): string => ((Math.max(0, milliseconds) / total) * 100).toFixed(2);
  const at = (moment: number): string => percent(moment - startedAt);
  return { at, span: (from, to) => `left:${at(from)}%;width:${percent(to - from)}%` };
}

/** @param rows HTML of each */
export function group(title: string, rows: readonly string[]): string {
  return `<h3>${text(title)}</h3><ol class="timeline">${rows.join('\n')}</ol>`;
}

/**
 * @param name HTML, as `bars` and `end` are
 * @param spoken what a screen reader says in place of the bars
 */
export function row(name: string, spoken: string, bars: string, end: string): string {
  return `<li>${name}
<span class="bar" role="img" aria-label="${text(spoken)}">${bars}</span>
${end}</li>`;
}
