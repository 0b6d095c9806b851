/** Where output goes and what it can show. Renderers get this, never `process`. */
import { styleText } from 'node:util';
import type { Config } from '../../config.ts';

export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
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

export function printLines(output: Output, lines: readonly string[]): void {
  if (lines.length > 0) output.write(`${lines.join('\n')}\n`);
}
