/**
 * A program in a pseudo-terminal, and what a person would see there. The terminal is made by `script` (util-linux),
 * which every Linux has; its screen is interpreted by xterm.js without a display.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import xterm from '@xterm/headless';

export interface Cell {
  text: string;
  bold: boolean;
  dim: boolean;
  inverse: boolean;
  /** Number of a palette; undefined: the terminal's own. */
  colour: number | undefined;
}

export interface Pty {
  /** Lines as they are seen, without blanks at their ends. */
  screen: () => string[];
  cells: () => Cell[][];
  /** Whether the screen beside the usual one is shown, as full-screen programs do. */
  alternate: () => boolean;
  cursorHidden: () => boolean;
  /** Resolves once the screen holds it, with the screen. Rejects when the program ends before, or never says so. */
  shows: (pattern: RegExp) => Promise<string>;
  type: (keys: string) => void;
  resize: (columns: number, rows: number) => void;
  /** To the program itself, where it has not ended. */
  kill: (signal: NodeJS.Signals) => void;
  /** How often everything was cleared. */
  clears: () => number;
  /** Exit code, once the last output was interpreted. */
  done: Promise<number>;
}

export const KEYS = {
  up: '\u001b[A',
  down: '\u001b[B',
  right: '\u001b[C',
  left: '\u001b[D',
  enter: '\r',
  esc: '\u001b',
};

/** A machine under load needs that long to start Node. */
const LIMIT_MS = 120_000;

/** @param command words of it */
export function openPty(
  command: readonly string[],
  { columns = 80, rows = 24, env, cwd }: { columns?: number; rows?: number; env: NodeJS.ProcessEnv; cwd?: string },
): Pty {
  const folder = mkdtempSync(join(tmpdir(), 'ananta-pty-'));
  const about = join(folder, 'about');
  const words = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const line = `stty cols ${columns} rows ${rows}; echo "$$ $(tty)" > ${about}; exec ${words}`;
  const child: ChildProcessWithoutNullStreams = spawn('script', ['-qfec', line, '/dev/null'], {
    env: { ...env, TERM: 'xterm-256color', SHELL: '/bin/sh' },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 });
  // What a program asks the terminal is answered, as a terminal does.
  terminal.onData((answer) => void child.stdin.write(answer));
  let ended: number | undefined;
  let clears = 0;
  let hidden = false;
  child.stdout.on('data', (chunk: Buffer) => {
    const text = chunk.toString('latin1');
    clears += text.split('\u001b[2J').length - 1;
    const last = Math.max(text.lastIndexOf('\u001b[?25l'), text.lastIndexOf('\u001b[?25h'));
    if (last !== -1) hidden = text.slice(last, last + 6).endsWith('l');
    terminal.write(chunk);
  });
  child.stdin.on('error', () => undefined);
  const done = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      terminal.write('', () => {
        ended = code ?? -1;
        rmSync(folder, { recursive: true, force: true });
        resolve(ended);
      });
    });
  });
  const lines = (): string[] =>
    Array.from(
      { length: terminal.rows },
      (_, y) => terminal.buffer.active.getLine(terminal.buffer.active.viewportY + y)?.translateToString(true) ?? '',
    );
  const process = (): [pid: number, tty: string] => {
    const [pid = '', tty = ''] = readFileSync(about, 'utf8').trim().split(' ');
    return [Number(pid), tty];
  };
  return {
    screen: lines,
    cells: () =>
      Array.from({ length: terminal.rows }, (_, y) => {
        const row = terminal.buffer.active.getLine(terminal.buffer.active.viewportY + y);
        return Array.from({ length: terminal.cols }, (__, x): Cell => {
          const cell = row?.getCell(x);
          return {
            text: cell?.getChars() ?? '',
            bold: cell?.isBold() !== 0,
            dim: cell?.isDim() !== 0,
            inverse: cell?.isInverse() !== 0,
            colour: cell?.isFgDefault() === true ? undefined : cell?.getFgColor(),
          };
        });
      }),
    alternate: () => terminal.buffer.active.type === 'alternate',
    cursorHidden: () => hidden,
    async shows(pattern) {
      for (const until = Date.now() + LIMIT_MS; Date.now() < until; ) {
        const code = ended;
        const text = lines().join('\n');
        if (pattern.test(text)) return text;
        if (code !== undefined) throw new Error(`ended with ${code} before it showed ${String(pattern)}:\n${text}`);
        await sleep(30);
      }
      throw new Error(`never showed ${String(pattern)}:\n${lines().join('\n')}`);
    },
    type(keys) {
      child.stdin.write(keys);
    },
    resize(width, height) {
      terminal.resize(width, height);
      execFileSync('stty', ['-F', process()[1], 'cols', String(width), 'rows', String(height)]);
    },
    kill(signal) {
      if (ended === undefined) global.process.kill(process()[0], signal);
    },
    clears: () => clears,
    done,
  };
}
