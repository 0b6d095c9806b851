/** The graph as a picture. */
import { instance } from '@viz-js/viz';
import type { PlatformChanges } from '../diff/types.ts';
import { renderChangesDot } from './changes-dot.ts';
import { renderDot } from './dot.ts';
import type { Drawing } from './drawing.ts';
import { renderStepsDot } from './steps-dot.ts';

/** What a plan would do, as a picture. */
export async function renderChangesSvg(changes: PlatformChanges): Promise<string> {
  return svgOf(renderChangesDot(changes));
}

/** Every step of a plan, as a picture. */
export async function renderStepsSvg(plan: Parameters<typeof renderStepsDot>[0]): Promise<string> {
  return svgOf(renderStepsDot(plan));
}

/** @returns an SVG document, laid out by Graphviz (compiled to WebAssembly, nothing has to be installed) */
export async function renderSvg(drawing: Drawing): Promise<string> {
  return svgOf(renderDot(drawing));
}

async function svgOf(dot: string): Promise<string> {
  const viz = await instance();
  return viz.renderString(dot, { format: 'svg' });
}
