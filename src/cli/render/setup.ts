/** Progress of tools and components as lines; thinned out where lines stay. */
import { type LocalStackEvent, formatLocalStackEvent } from '../../../bootstrap/report.ts';
import { formatProgress } from '../../../bootstrap/tools/progress.ts';

export interface SetupLine {
  /** What it is about: `helm`, `kube-apiserver`. Lines of one subject replace each other in a live picture. */
  subject: string;
  state: 'busy' | 'done' | 'failed';
  /** Changes when something new happens, not when a counter moves. */
  stage: string;
  /** Worth a line of its own only when it goes on for long. */
  passing: boolean;
  text: string;
}

export function setupLine(event: LocalStackEvent): SetupLine {
  if (event.kind === 'tool') {
    const { tool, stage } = event.progress;
    const state = stage === 'ready' ? 'done' : stage === 'failed' ? 'failed' : 'busy';
    return {
      subject: `tool ${tool}`,
      state,
      stage,
      passing: stage === 'looking' || stage === 'verifying',
      text: formatProgress(event.progress),
    };
  }
  if (event.kind === 'note')
    return { subject: event.message, state: 'done', stage: 'note', passing: false, text: event.message };
  const { component, state } = event;
  return {
    subject: component,
    stage: state,
    passing: state === 'starting' || state === 'stopping',
    text: formatLocalStackEvent(event),
    state: state === 'died' ? 'failed' : state === 'ready' || state === 'stopped' ? 'done' : 'busy',
  };
}

const COUNT = new Intl.NumberFormat('en');

/** How far the check of all charts is. @param done of them, before and now */
export function renderingLine(done: number, all: number): SetupLine {
  return {
    subject: 'charts',
    state: done < all ? 'busy' : 'done',
    stage: 'rendering',
    passing: true,
    text: `charts are rendered: ${COUNT.format(done)} of ${COUNT.format(all)}`,
  };
}

/** The same line again, with another count of megabytes or seconds, comes at most this often. */
const REPEAT_AFTER_MS = 15_000;

/**
 * For logs: a line when something changes, seldom ones while it goes on, none for a tool that was there already.
 * @returns whether the line is worth printing
 */
export function createThinning(now: () => number = Date.now): (line: SetupLine) => boolean {
  const seen = new Map<string, { stage: string; at: number; printed: boolean }>();
  return (line) => {
    const before = seen.get(line.subject);
    const repeated = before?.stage === line.stage;
    const due = repeated && now() - before.at >= REPEAT_AFTER_MS;
    const wasThere = line.stage === 'ready' && line.subject.startsWith('tool ') && before?.printed !== true;
    const print = !wasThere && (repeated ? due : !line.passing);
    if (!repeated || due)
      seen.set(line.subject, { stage: line.stage, at: now(), printed: print || before?.printed === true });
    return print;
  };
}
