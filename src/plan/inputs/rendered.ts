/** What goes into a release, before it is written down as Helm takes it. */
import type { Tree } from '../../environment/files/merge.ts';
import type { Release } from '../releases.ts';
import type { WantedChart } from '../charts/wanted.ts';

/** Where Helm finds a chart. */
export interface ChartReference {
  /** Folder of a bundled chart, or the place in the cache where a publisher's verified archive has to be. */
  chartPath: string;
  /** Only with a publisher's chart: what has to be in that archive. */
  upstream?: WantedChart;
  /** Name of the environment, for objects of a chart that does not put it on them itself (ownership/owner-label.ts). */
  owner?: string;
  /** Digest of the chart alone: of its folder, or `sha256:…` of its archive; absent where none is locked. */
  content?: string;
}

/** Inputs before they are written down. */
export interface RenderedInputs {
  release: Release;
  chart: ChartReference;
  /**
   * What follows from catalog and environment: wins over the values file. Absent where the environment says something
   * of the release: it may take out what the file has.
   */
  own?: Tree;
  /** All values. */
  values: Tree;
  digest: string;
}
