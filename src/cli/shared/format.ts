/**
 * Numbers, times and widths as people read them. Pure. No library for widths is needed: `oneLine` leaves only
 * characters of one column.
 */

export { clock, duration } from '../../duration.ts';

/** `1 service`, `3 services`. */
export function count(n: number, singular: string, plural = `${singular}s`): string {
  return `${n} ${n === 1 ? singular : plural}`;
}

/**
 * Text of others on one line of a terminal: no line breaks, no control sequences, no characters that are two columns
 * wide, so that its length is its width.
 */
export function oneLine(text: string): string {
  const plain = text
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return plain.replace(/[^\u0020-\u007e\u00a1-\u024f\u2010-\u2027\u2190-\u21ff\u2212\u2248\u2264\u2265\u00d7]/gu, '?');
}

/** At most `width` characters, the last one `…` where something was cut. */
export function truncate(text: string, width: number): string {
  if (text.length <= width) return text;
  return width <= 1 ? text.slice(0, Math.max(0, width)) : `${text.slice(0, width - 1).trimEnd()}…`;
}

/** Exactly `width` characters. */
export function column(text: string, width: number): string {
  return truncate(text, width).padEnd(width);
}

/** Wraps words at `width`; a word that is longer stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** A word for a shell: quoted only where it must be. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The line that a person types from a clone. */
export function commandLine(command: string, ...args: string[]): string {
  const rest = args.map(shellWord).join(' ');
  return `npm run ananta -- ${command}${rest === '' ? '' : ` ${rest}`}`;
}

/** Rows with their cells padded to the widest of each column, two blanks between; the last column is left as it is. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
