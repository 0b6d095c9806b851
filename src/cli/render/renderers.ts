/** The three renderers: a live tree for a terminal, plain lines for logs, JSON for programs. */
import { createLogUpdate } from 'log-update';
import { oneLine, truncate } from '../shared/format.ts';
import { type Output, printLines, type Terminal } from '../shared/terminal.ts';
import { jsonEvent, type JsonLine } from './json.ts';
import { emptyLive, type LiveView } from './live.ts';
import { plainLine } from './plain.ts';
import type { Renderer } from './renderer.ts';
import { createThinning, type SetupLine } from './setup.ts';
import { treeLines } from './tree.ts';

/** The picture changes at most this often; clocks in it tick once a second. */
const FRAME_MS = 250;
const TICK_MS = 1000;

export function createRenderer(terminal: Terminal, environment: string, json: boolean): Renderer {
  if (json) return jsonRenderer(terminal);
  return terminal.live ? treeRenderer(terminal, environment) : plainRenderer(terminal.stdout);
}

/** Plain lines on standard error, of a command whose standard output is its own answer. */
export function createProgressRenderer(terminal: Terminal, environment: string): Renderer {
  return createRenderer({ ...terminal, live: false, stdout: terminal.stderr }, environment, false);
}

export function writeJson(output: Output, line: JsonLine): void {
  output.write(`${JSON.stringify(line)}\n`);
}

function jsonRenderer(terminal: Terminal): Renderer {
  const worthPrinting = createThinning();
  return {
    setup: (line) => printLines(terminal.stderr, worthPrinting(line) ? [line.text] : []),
    started: ({ workflowId, runId, attached, url }) =>
      writeJson(terminal.stdout, { type: 'started', workflowId, runId, attached, url }),
    event(event, view) {
      const line = jsonEvent(event, view, Date.now());
      if (line) writeJson(terminal.stdout, line);
    },
    notice: (text) => writeJson(terminal.stdout, { type: 'notice', message: text }),
    close: () => undefined,
  };
}

function plainRenderer(output: Output): Renderer {
  const worthPrinting = createThinning();
  return {
    setup: (line) => printLines(output, worthPrinting(line) ? [line.text] : []),
    started: (run) => printLines(output, startedLines(run)),
    event(event, view) {
      const line = plainLine(event, view, Date.now());
      if (line !== undefined) printLines(output, [line]);
    },
    notice: (text) => printLines(output, [`       ${text}`]),
    close: () => undefined,
  };
}

function startedLines(run: { workflowId: string; attached: boolean; url?: string }): string[] {
  return [
    `${run.attached ? 'Attached' : 'Started'}: workflow ${run.workflowId}`,
    ...(run.url === undefined ? [] : [`Watch it at ${run.url}`]),
  ];
}

/** Lines that are over go above the picture and stay; the picture itself is drawn over. */
function treeRenderer(terminal: Terminal, environment: string): Renderer {
  const update = createLogUpdate(process.stdout);
  const worthPrinting = createThinning();
  const busy = new Map<string, string>();
  let view: LiveView = emptyLive();
  let following = false;
  let closed = false;
  let frame: NodeJS.Timeout | undefined;
  let tick: NodeJS.Timeout | undefined;

  const draw = (): void => {
    clearTimeout(frame);
    frame = undefined;
    if (closed) return;
    const { columns = 80, rows = 24 } = terminal.stdout;
    const lines = following
      ? treeLines(view, { environment, now: Date.now(), columns, rows, style: terminal.style })
      : [...busy.values()]
          .slice(-Math.max(1, rows - 2))
          .map((text) => terminal.style('busy', truncate(`▸ ${oneLine(text)}`, columns - 1)));
    update(lines.join('\n'));
    clearTimeout(tick);
    tick = setTimeout(draw, TICK_MS);
  };
  const soon = (): void => {
    frame ??= setTimeout(draw, FRAME_MS);
  };
  const keep = (text: string): void => {
    if (closed) return;
    // Not through log-update, which breaks long lines: an address has to stay in one piece to be clicked.
    update.clear();
    terminal.stdout.write(`${text}\n`);
    draw();
  };
  return {
    setup(line: SetupLine) {
      const { subject, state, text } = line;
      const worthKeeping = worthPrinting(line);
      if (state === 'busy') busy.set(subject, text);
      else {
        busy.delete(subject);
        if (worthKeeping)
          keep(terminal.style(state === 'done' ? 'good' : 'bad', `${state === 'done' ? '✔' : '✘'} ${text}`));
      }
      soon();
    },
    started(run) {
      following = true;
      for (const line of startedLines(run)) keep(line);
    },
    event(_event, next) {
      view = next;
      soon();
    },
    notice: (text) => keep(terminal.style('bad', text)),
    close() {
      if (closed) return;
      draw();
      closed = true;
      clearTimeout(frame);
      clearTimeout(tick);
      update.done();
    },
  };
}
