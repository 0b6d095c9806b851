import { AnantaError } from '../../src/contract/errors.ts';
import type { ToolAttempt, ToolName } from './types.ts';

/** A tool could be had in no way at all. The message holds all that a person needs to go on. */
export class ToolsUnavailableError extends AnantaError {
  override name = 'ToolsUnavailableError';
  /** Every way tried, in the order in which it was tried. */
  readonly attempts: readonly ToolAttempt[];
  readonly tools: readonly ToolName[];

  constructor(attempts: readonly ToolAttempt[], advice: readonly string[]) {
    const tools = [...new Set(attempts.map(({ tool }) => tool))];
    const lines = tools.flatMap((tool) => [
      `  ${tool}:`,
      ...attempts.filter((attempt) => attempt.tool === tool).map(({ way, outcome }) => `    ${WAYS[way]}: ${outcome}`),
    ]);
    const head =
      tools.length === 1
        ? `${tools[0]} is needed and could not be had.`
        : `${tools.length} tools are needed and could not be had.`;
    super([head, 'Tried:', ...lines, 'What helps, any one of:', ...advice.map((line) => `  - ${line}`)].join('\n'));
    this.attempts = attempts;
    this.tools = tools;
  }
}

const WAYS: Readonly<Record<ToolAttempt['way'], string>> = {
  path: 'on the PATH',
  cache: 'in the cache',
  release: "publisher's release",
  mirror: 'mirror',
  build: 'build from source',
  wait: 'waiting for another run',
};

/** The tool was asked for, but what it would complete does not need it. */
export class ToolNotNeededError extends AnantaError {
  override name = 'ToolNotNeededError';
}

/** Any thrown thing in one line, with the system's code where the message is empty. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  const text = error.message.trim().replace(/\s+/g, ' ');
  return text === '' ? (code ?? error.name) : text;
}
