/** A terminal's screen as a picture. */
import type { Cell } from '../test/support/programs/pty.ts';

const LINE_HEIGHT = 18;
const CHARACTER_WIDTH = 7.83;
const MARGIN = 14;
const PLAIN = '#c9d1d9';
const GROUND = '#0d1117';
/** Of the sixteen colours those that the product uses. */
const PALETTE: Record<number, string> = { 11: '#e3b341', 12: '#79c0ff' };

export function screenSvg(cells: readonly (readonly Cell[])[], title: string): string {
  const width = Math.ceil(Math.max(1, ...cells.map((row) => row.length)) * CHARACTER_WIDTH + 2 * MARGIN);
  const height = cells.length * LINE_HEIGHT + 2 * MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    `<style>text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${GROUND}"/>`,
    ...cells.flatMap((row, y) => runsOf(row).map((run) => drawn(run, y))),
    '</svg>\n',
  ].join('\n');
}

interface Run {
  from: number;
  text: string;
  cell: Cell;
}

/** Neighbours that look the same are one text. */
function runsOf(row: readonly Cell[]): Run[] {
  const runs: Run[] = [];
  row.forEach((cell, x) => {
    const last = runs.at(-1);
    const text = cell.text === '' ? ' ' : cell.text;
    if (last && lookOf(last.cell) === lookOf(cell)) last.text += text;
    else runs.push({ from: x, text, cell });
  });
  return runs.filter(({ text, cell }) => cell.inverse || text.trim() !== '');
}

function lookOf({ bold, dim, inverse, colour }: Cell): string {
  return [bold, dim, inverse, colour].join();
}

function drawn({ from, text, cell: { bold, dim, inverse, colour } }: Run, y: number): string {
  const x = (MARGIN + from * CHARACTER_WIDTH).toFixed(2);
  const ink = colour === undefined ? PLAIN : (PALETTE[colour] ?? PLAIN);
  const width = (text.length * CHARACTER_WIDTH).toFixed(2);
  const box = `<rect x="${x}" y="${MARGIN + y * LINE_HEIGHT}" width="${width}" height="${LINE_HEIGHT}" fill="${ink}"/>`;
  const weight = bold ? ' font-weight="bold"' : '';
  const opacity = dim ? ' opacity="0.6"' : '';
  const words = `<text x="${x}" y="${MARGIN + y * LINE_HEIGHT + 13}" textLength="${width}" fill="${inverse ? GROUND : ink}"${weight}${opacity}>${escaped(text)}</text>`;
  return inverse ? `${box}\n${words}` : words;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
