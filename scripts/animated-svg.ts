/**
 * Frames of text as one animated SVG: each line is drawn once for as long as it stays the same. Played in a loop; where
 * nothing moves (print, a reader that knows no animation) the last frame is seen.
 */
export interface Span {
  text: string;
  /** CSS class. */
  tone: string;
}

export interface Frame {
  /** Seconds since the first frame. */
  at: number;
  lines: Span[];
}

export interface AnimatedSvgOptions {
  columns: number;
  /** Times faster than it was. */
  speed: number;
  /** Seconds for which the last frame stays. */
  restSeconds: number;
  title: string;
}

const LINE_HEIGHT = 18;
const CHARACTER_WIDTH = 7.83;
const MARGIN = 14;
const STYLE = `text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:#c9d1d9}
.good{fill:#56d364}.bad{fill:#ff7b72}.busy{fill:#58c4dc}.dim{fill:#7d8590}.bold{fill:#f0f6fc;font-weight:bold}`;

interface Segment extends Span {
  row: number;
  from: number;
  to: number;
}

/** @returns a document without any address outside itself */
export function animatedSvg(frames: readonly Frame[], options: AnimatedSvgOptions): string {
  const end = frames.at(-1)?.at ?? 0;
  const rows = Math.max(1, ...frames.map(({ lines }) => lines.length));
  const width = Math.ceil(options.columns * CHARACTER_WIDTH + 2 * MARGIN);
  const height = rows * LINE_HEIGHT + 2 * MARGIN;
  const total = end / options.speed + options.restSeconds;
  const texts = segmentsOf(frames, rows, end).map((segment) => textOf(segment, end, options));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(options.title)}">`,
    `<title>${escaped(options.title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117">`,
    `<animate id="loop" attributeName="rx" from="8" to="8" dur="${seconds(total)}" begin="0s;loop.end"/></rect>`,
    ...texts,
    '</svg>',
    '',
  ].join('\n');
}

function segmentsOf(frames: readonly Frame[], rows: number, end: number): Segment[] {
  return Array.from({ length: rows }, (_, row) => row).flatMap((row) => {
    const segments: Segment[] = [];
    for (const { at, lines } of frames) {
      const span = lines[row] ?? { text: '', tone: 'dim' };
      const current = segments.at(-1);
      if (current && current.text === span.text && current.tone === span.tone) continue;
      if (current) current.to = at;
      segments.push({ ...span, row, from: at, to: end });
    }
    return segments.filter(({ text }) => text.trim() !== '');
  });
}

function textOf({ text, tone, row, from, to }: Segment, end: number, { speed }: AnimatedSvgOptions): string {
  const y = MARGIN + (row + 0.75) * LINE_HEIGHT;
  const isLast = to >= end;
  const timing = isLast
    ? from === 0
      ? ''
      : set('hidden', 0, from / speed)
    : set('visible', from / speed, (to - from) / speed);
  const hidden = isLast ? '' : ' visibility="hidden"';
  return `<text class="${tone}" x="${MARGIN}" y="${y.toFixed(1)}"${hidden}>${escaped(text)}${timing}</text>`;
}

function set(visibility: string, begin: number, duration: number): string {
  return `<set attributeName="visibility" to="${visibility}" begin="loop.begin+${seconds(begin)}" dur="${seconds(duration)}"/>`;
}

function seconds(value: number): string {
  return `${Math.max(0.01, Math.round(value * 100) / 100)}s`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
