/** Every PromQL expression of helm/charts/deployer-monitoring, from its files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readConfig } from '../../../src/config.ts';

export const MONITORING = join(readConfig().repoRoot, 'helm', 'charts', 'deployer-monitoring');

const dashboardSchema = z.object({
  uid: z.string(),
  templating: z.object({ list: z.array(z.object({ name: z.string(), query: z.unknown() })) }),
  annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      type: z.string(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(z.object({ expr: z.string() })).default([]),
    }),
  ),
});
export type Dashboard = z.infer<typeof dashboardSchema>;

export function readDashboard(): Dashboard {
  return dashboardSchema.parse(JSON.parse(readFileSync(join(MONITORING, 'files', 'ananta-deployments.json'), 'utf8')));
}

export function dashboardExpressions({ panels, annotations }: Dashboard): { where: string; expr: string }[] {
  return [
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: `panel ${title}`, expr }))),
    ...annotations.list.map(({ expr }) => ({ where: 'annotation', expr })),
  ];
}

/** Names of the SDK's metrics as the exporter writes them, so that a live worker can be asked for each. */
export function sdkMetrics(names: readonly string[]): string[] {
  return [...new Set(names.filter((name) => name.startsWith('temporal_')))].sort();
}
