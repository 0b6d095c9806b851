/** `ananta graph`. */
import { writeFile } from 'node:fs/promises';
import { loadCatalog } from '../../catalog/index.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { criticalPath } from '../../plan/graph.ts';
import { serviceSeconds } from '../../plan/startup.ts';
import type { GraphOptions } from '../commands/graph.ts';
import type { CliContext } from '../context.ts';
import { refused } from '../failure.ts';
import { dot } from './dot.ts';
import { drawnEdges } from './edges.ts';
import { mermaid } from './mermaid.ts';

export async function printGraph(context: CliContext, options: GraphOptions): Promise<void> {
  const environment = await loadEnvironment(options.env, context.config);
  const catalog = loadCatalog();
  const seconds = new Map(catalog.services.map((service) => [service.name, serviceSeconds(environment, service)]));
  const { path } = criticalPath(catalog.services, (name) => seconds.get(name) ?? 0);
  const edges = drawnEdges(catalog.services, path);
  const text = options.format === 'mermaid' ? mermaid(catalog, edges) : options.format === 'dot' ? dot(catalog, edges, path) : await svg(dot(catalog, edges, path));
  if (options.out === undefined) {
    context.terminal.stdout.write(text);
    return;
  }
  try {
    await writeFile(options.out, text);
  } catch (error) {
    throw refused(`${options.out} cannot be written: ${error instanceof Error ? error.message : String(error)}`, 'Name a file in a folder that exists, as in --out /tmp/platform.svg');
  }
  context.terminal.stderr.write(`Written: ${options.out}\n`);
}

/** Graphviz itself, compiled to WebAssembly: loaded only when a picture is asked for. */
async function svg(source: string): Promise<string> {
  const { instance } = await import('@viz-js/viz');
  return (await instance()).renderString(source, { format: 'svg' });
}
