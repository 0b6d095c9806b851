/** The graph as a picture. */
import { instance } from '@viz-js/viz';
import { renderDot } from './dot.ts';
import type { Drawing } from './drawing.ts';

/** @returns an SVG document, laid out by Graphviz (compiled to WebAssembly, nothing has to be installed) */
export async function renderSvg(drawing: Drawing): Promise<string> {
  const viz = await instance();
  return viz.renderString(renderDot(drawing), { format: 'svg' });
}
