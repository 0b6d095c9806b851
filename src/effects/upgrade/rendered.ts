/** What the charts of an environment make for another version of Kubernetes, and which of them refuse it. */
import { ChartRenderError, renderedManifest, renderErrorText } from '../../clients/helm/template.ts';
import type { ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import type { UsedApi } from '../../plan/upgrade/judge.ts';
import { renderEach } from '../diff/render.ts';
import { usedIn } from './survey.ts';

export interface RenderedUse {
  /** Of each release by its name. */
  used: Map<string, UsedApi[]>;
  /** What a chart says against that version: its own limit (`kubeVersion`), or a template's. */
  refused: { release: string; message: string }[];
  /** Charts that are not on this machine, `redis 20.13.4`. */
  missing: string[];
}

interface Rendering {
  helm: string;
  home: string;
  env: Readonly<Record<string, string>>;
  /** `1.36.0` */
  kubernetes: string;
}

/** @param inputs by name of the release, each with its namespace */
export async function renderedFor(
  { helm, home, env, kubernetes }: Rendering,
  inputs: readonly { release: string; namespace: string; input: ReleaseInputs }[],
): Promise<RenderedUse> {
  const found: RenderedUse = { used: new Map(), refused: [], missing: [] };
  found.missing = await renderEach(inputs, async ({ release, namespace, input: { chartPath, values } }) => {
    try {
      const request = { release, namespace, chartPath, values, kubernetes };
      found.used.set(release, usedIn(await renderedManifest(helm, home, env, request), namespace));
    } catch (error) {
      if (!(error instanceof ChartRenderError)) throw error;
      found.refused.push({ release, message: renderErrorText(error) });
    }
  });
  found.refused.sort((a, b) => a.release.localeCompare(b.release));
  return found;
}
