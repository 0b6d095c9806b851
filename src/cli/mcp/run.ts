/** `ananta mcp`: from the start of the server until whoever reads its answers goes away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { loadEnvironment } from '../../environment/load.ts';
import type { CliContext } from '../shared/context.ts';
import { watchAnswers } from './answers.ts';
import { createServer } from './server.ts';

export interface McpOptions {
  env?: string[];
  allowChanges?: true;
}

/** @throws EnvironmentError for an environment that does not exist, before anything is served */
export async function runMcp(context: CliContext, { env, allowChanges }: McpOptions): Promise<void> {
  for (const name of env ?? []) await loadEnvironment(name, context.config);
  const folder = await mkdtemp(join(tmpdir(), 'ananta-mcp-'));
  const server = createServer(context, { only: env, allowChanges: allowChanges === true, folder });
  try {
    const ended = new Promise<void>((resolve) => {
      for (const event of ['end', 'close'] as const) process.stdin.once(event, () => resolve());
      server.server.onclose = () => resolve();
    });
    const transport = new StdioServerTransport();
    await server.connect(transport);
    const answered = watchAnswers(transport);
    await ended;
    // Whoever has said all that they want to say may still be listening: `… | ananta mcp`.
    await answered();
    await server.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
