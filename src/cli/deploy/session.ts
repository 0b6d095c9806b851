/** What the steps of one `deploy` or `attach` share. */
import type { Environment } from '../../environment/schema.ts';
import type { CliContext } from '../shared/context.ts';
import { explain } from '../shared/explain.ts';
import type { Renderer } from '../render/renderer.ts';
import { writeJson } from '../render/renderers.ts';

export interface Session {
  context: CliContext;
  environment: Environment;
  json: boolean;
  /** Service whose pods' lines are shown. */
  follow?: string;
  renderer: Renderer;
  /** Aborted by Ctrl-C and its relatives, with an Interrupted as the reason. */
  interrupted: AbortSignal;
}

/** With --json the reason stands on standard output as well, as the last line. */
export function writeJsonError(
  { context, json }: Pick<Session, 'context' | 'json'>,
  error: unknown,
  command: string,
  environment: string,
): void {
  if (!json) return;
  const { exitCode, message, next } = explain(error, { command, environment });
  writeJson(context.terminal.stdout, { type: 'error', environment, exitCode, message, next });
}
