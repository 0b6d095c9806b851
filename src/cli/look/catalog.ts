/** `ananta catalog` and `ananta graph`. */
import { writeFile } from 'node:fs/promises';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import { renderDot } from '../../plan/render/dot.ts';
import { draw } from '../../plan/render/drawing.ts';
import { catalogRows } from '../../plan/render/json.ts';
import { renderMermaid } from '../../plan/render/mermaid.ts';
import { renderCatalogText } from '../../plan/render/text.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { printLines } from '../shared/terminal.ts';

export interface GraphOptions {
  env: string;
  format: 'mermaid' | 'dot' | 'svg';
  out?: string;
}

export interface CatalogOptions {
  env: string;
  json?: true;
}

export async function printCatalog({ config, terminal }: CliContext, options: CatalogOptions): Promise<void> {
  const environment = await loadEnvironment(options.env, config);
  const catalog = await loadPlatform(environment, config);
  if (options.json) printLines(terminal.stdout, [JSON.stringify(catalogRows(catalog, environment), null, 2)]);
  else terminal.stdout.write(renderCatalogText(catalog, terminal.stdout.columns));
}

export async function printGraph({ config, terminal }: CliContext, { env, format, out }: GraphOptions): Promise<void> {
  const environment = await loadEnvironment(env, config);
  const drawing = draw(await loadPlatform(environment, config), environment);
  const text =
    format === 'mermaid'
      ? renderMermaid(drawing)
      : format === 'dot'
        ? renderDot(drawing)
        : // Graphviz is a megabyte of WebAssembly: loaded when a picture is asked for.
          await (await import('../../plan/render/svg.ts')).renderSvg(drawing);
  if (out === undefined) {
    terminal.stdout.write(text);
    return;
  }
  try {
    await writeFile(out, text);
  } catch (error) {
    throw refused(
      `${out} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      'Name a file in a folder that exists, as in --out /tmp/platform.svg',
    );
  }
  terminal.stderr.write(`Written: ${out}\n`);
}
