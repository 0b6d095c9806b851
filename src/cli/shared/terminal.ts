/** Where output goes and what it can show. Renderers get this, never `process`. */
import { styleText } from 'node:util';
import type { Config } from '../../config.ts';

export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  /** It has more than it could hand on: true of a pipe whose reader is slow. */
  writableNeedDrain?: boolean;
  once?(event: 'drain' | 'close', call: () => void): unknown;
  off?(event: 'drain' | 'close', call: () => void): unknown;
}

export interface Terminal {
  stdout: Output;
  stderr: Output;
  /** A person sits in front of standard output, and its cursor can move. */
  live: boolean;
  /** Questions can be asked. */
  interactive: boolean;
  style: Style;
  /** The same for what goes to standard error. */
  errorStyle: Style;
}

export type Tone = 'good' | 'bad' | 'busy' | 'dim' | 'bold';
/** Colours a piece of text, or leaves it as it is. */
export type Style = (tone: Tone, text: string) => string;

const FORMATS = { good: 'green', bad: 'red', busy: 'cyan', dim: 'dim', bold: 'bold' } as const;

export const plainStyle: Style = (_tone, text) => text;
export const colourStyle: Style = (tone, text) => styleText(FORMATS[tone], text, { validateStream: false });

export function openTerminal(config: Config): Terminal {
  const { stdout, stderr, stdin } = process;
  const colours = (stream: Output): Style =>
    stream.isTTY === true && !config.noColor && !config.dumbTerminal ? colourStyle : plainStyle;
  return {
    stdout,
    stderr,
    live: stdout.isTTY && !config.dumbTerminal && !config.ci,
    interactive: stdout.isTTY && stdin.isTTY && !config.ci,
    style: colours(stdout),
    errorStyle: colours(stderr),
  };
}

/**
 * Of what has no end, as a log that is followed: ends when a slow reader has taken it, so that what comes faster is not
 * kept in memory. Also ends with the signal, or when nobody reads any more.
 */
export async function written(output: Output, text: string, signal?: AbortSignal): Promise<void> {
  output.write(text);
  if (output.writableNeedDrain !== true || signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'close'] as const) output.off?.(event, done);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    for (const event of ['drain', 'close'] as const) output.once?.(event, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

export function printLines(output: Output, lines: readonly string[]): void {
  if (lines.length > 0) output.write(`${lines.join('\n')}\n`);
}
