/** Tools that change something: only what was planned, and never a protected environment. */
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { loadEnvironment } from '../../environment/load.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { planFileOf } from './plans.ts';
import { answering, command, environmentSchema, type Served } from './tool.ts';

export function changingTools(server: McpServer, context: CliContext, { only, folder }: Served): void {
  const env = environmentSchema(only);

  server.registerTool(
    'deploy',
    {
      description:
        'Carries out a plan that the tool plan has made in this session, and leaves it running: the tool status shows how it goes. Refused when cluster, catalog or values have changed since the plan',
      inputSchema: {
        env,
        digest: z
          .string()
          .regex(/^[0-9a-f]{8,64}$/)
          .describe('Of the plan'),
      },
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
    },
    ({ env: name, digest }) =>
      answering('deploy', async () => {
        await requireUnprotected(context, name);
        const file = await planFileOf.find(folder, name, digest);
        return command(context, 'deploy', `--env=${name}`, `--plan=${file}`, '--detach', '--json');
      }),
  );

  server.registerTool(
    'cancel',
    {
      description:
        'Ends what runs on an environment in good order: Helm ends its release, nothing further starts, the lock is free',
      inputSchema: { env },
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
    },
    ({ env: name }) =>
      answering('cancel', async () => {
        await requireUnprotected(context, name);
        return command(context, 'cancel', `--env=${name}`, '--json');
      }),
  );
}

/** Its name is typed by a person, which a program must not do for them. */
async function requireUnprotected({ config }: CliContext, name: string): Promise<void> {
  const { protected: isProtected } = await loadEnvironment(name, config);
  if (isProtected)
    throw refused(
      `"${name}" is a protected environment: it is changed by a person, not from here.`,
      `Say what is to be done: npm run ananta -- deploy --env ${name}`,
    );
}
