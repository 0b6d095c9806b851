/** What `install` says of its steps: plain lines, or one JSON object a line. */
import { duration } from '../shared/format.ts';
import { printLines, type Terminal } from '../shared/terminal.ts';

export type StepState = 'begun' | 'unchanged' | 'made' | 'upgraded' | 'checked' | 'note';

export interface StepEvent {
  /** What it is about: `namespace`, or a release's name. */
  step: string;
  state: StepState;
  text: string;
  seconds?: number;
}

export type InstallReport = (event: StepEvent) => void;

const MARKS: Record<StepState, string> = {
  begun: '▸',
  unchanged: '=',
  made: '✔',
  upgraded: '✔',
  checked: '✔',
  note: '!',
};

export function createInstallReport(terminal: Terminal, json: boolean): InstallReport {
  if (json)
    return (event) => {
      terminal.stdout.write(`${JSON.stringify({ type: 'step', ...event })}\n`);
    };
  return (event) =>
    printLines(terminal.stdout, [
      terminal.style(event.state === 'note' ? 'bad' : event.state === 'begun' ? 'busy' : 'good', stepLine(event)),
    ]);
}

export function stepLine({ step, state, text, seconds }: StepEvent): string {
  return `${MARKS[state]} ${step.padEnd(18)} ${text}${seconds === undefined ? '' : ` (${duration(seconds)})`}`;
}
