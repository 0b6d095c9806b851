/** The server: tools that are commands of this program, with schemas for what goes in. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CliContext } from '../shared/context.ts';
import { changingTools } from './changing-tools.ts';
import { readingTools } from './reading-tools.ts';
import type { Served } from './tool.ts';

const INSTRUCTIONS = `Deployments of a platform on Kubernetes by ananta. Begin with status; explain says why one service is not
healthy; plan says what a deployment would change; evidence holds what was collected when a service failed. Values of secrets are
hidden everywhere.`;

export function createServer(context: CliContext, served: Served): McpServer {
  const server = new McpServer({ name: 'ananta', version: context.version }, { instructions: INSTRUCTIONS });
  readingTools(server, context, served);
  if (served.allowChanges) changingTools(server, context, served);
  return server;
}
