/** Tools that change nothing. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import type { CliContext } from '../shared/context.ts';
import { listEvidence, readEvidence } from './evidence.ts';
import { planFileOf } from './plans.ts';
import {
  answering,
  answerOf,
  command,
  environmentSchema,
  type Served,
  serviceSchema,
  text,
  versionSchema,
} from './tool.ts';
import { captured } from './captured.ts';

const READS = { readOnlyHint: true, destructiveHint: false, openWorldHint: true };

export function readingTools(server: McpServer, context: CliContext, { only, allowChanges, folder }: Served): void {
  const env = environmentSchema(only);

  server.registerTool(
    'status',
    {
      description:
        'How an environment is: its last operation, who holds its lock, parts that run, services that are not well',
      inputSchema: { env },
      annotations: READS,
    },
    ({ env: name }) => command(context, 'status', `--env=${name}`, '--json'),
  );

  server.registerTool(
    'plan',
    {
      description: `What a deployment would change now, and why, object by object and field by field; of secret values only that they differ.${
        allowChanges ? ' Its digest is what the tool deploy asks for.' : ''
      }`,
      inputSchema: {
        env,
        only: z.array(serviceSchema).max(100).optional().describe('These services alone'),
        image: z
          .record(serviceSchema, z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$/))
          .optional()
          .describe('Image tag or digest by service'),
      },
      annotations: READS,
    },
    async ({ env: name, only: services = [], image = {} }) => {
      const draft = join(folder, `draft-${randomUUID()}.json`);
      const ended = await captured(context, [
        ...['plan', `--env=${name}`, '--json'],
        ...(allowChanges ? [`--out=${draft}`] : []),
        ...(services.length > 0 ? [`--only=${services.join(',')}`] : []),
        ...Object.entries(image).map(([service, tag]) => `--image=${service}=${tag}`),
      ]);
      if (allowChanges) await planFileOf.keep(folder, draft, name, ended.stdout);
      return answerOf(ended);
    },
  );

  server.registerTool(
    'explain',
    {
      description:
        'Why a service is not healthy now: operation, dependencies, releases, pods, claims, warnings, last log lines, and what would help',
      inputSchema: { env, service: serviceSchema },
      annotations: READS,
    },
    ({ env: name, service }) => command(context, 'explain', service, `--env=${name}`, '--json'),
  );

  server.registerTool(
    'history',
    {
      description: 'Versions of the platform, the newest first; with a number, all that this version holds',
      inputSchema: { env, version: versionSchema.optional() },
      annotations: READS,
    },
    ({ env: name, version }) =>
      command(context, 'history', ...(version === undefined ? [] : [String(version)]), `--env=${name}`, '--json'),
  );

  server.registerTool(
    'drift_show',
    {
      description: 'How the cluster differs from what was deployed, looked at now',
      inputSchema: { env },
      annotations: READS,
    },
    ({ env: name }) => command(context, 'drift', 'show', `--env=${name}`, '--json'),
  );

  server.registerTool(
    'evidence',
    {
      description:
        'Events, conditions and logs of services at the moment when they failed, as workers of this machine have collected them. Without a service: what there is',
      inputSchema: {
        env,
        service: z
          .string()
          .max(100)
          .optional()
          .describe('Service, or SERVICE-before: what it was like before it was touched'),
        runId: z.string().max(100).optional().describe('Of an operation; the newest by default'),
      },
      annotations: READS,
    },
    ({ env: name, service, runId }) =>
      answering('evidence', async () =>
        text(
          service === undefined
            ? JSON.stringify({ environment: name, files: (await listEvidence(context.config, name)).slice(0, 200) })
            : await readEvidence(context.config, name, service, runId),
        ),
      ),
  );
}
