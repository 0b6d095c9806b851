import type { ToolName, ToolProgress, ToolStage } from './types.ts';

/** Events of the same stage of one tool come at most this often. */
const QUIET_MILLISECONDS = 200;

export type Report = (
  spec: { name: ToolName; version: string },
  stage: ToolStage,
  more?: Omit<Partial<ToolProgress>, 'tool' | 'stage'>,
) => void;

/** Stamps events with the time since now and thins out those that only move a counter. */
export function progressReporter(onProgress: ((event: ToolProgress) => void) | undefined): Report {
  const began = performance.now();
  const last = new Map<ToolName, { stage: ToolStage; at: number }>();
  return (spec, stage, more = {}) => {
    const now = performance.now();
    const before = last.get(spec.name);
    if (before?.stage === stage && now - before.at < QUIET_MILLISECONDS) return;
    last.set(spec.name, { stage, at: now });
    onProgress?.({ tool: spec.name, version: spec.version, stage, elapsedSeconds: (now - began) / 1000, ...more });
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** One event as a plain line, without a line break: "helm 4.3.1: downloading 12.3 of 18.1 MB, get.helm.sh". */
export function formatProgress(event: ToolProgress): string {
  const { tool, version, stage, bytes, total, detail, elapsedSeconds } = event;
  const words: string[] = [stage];
  if (bytes !== undefined)
    words.push(total === undefined ? `${megabytes(bytes)} MB` : `${megabytes(bytes)} of ${megabytes(total)} MB`);
  const parts = [words.join(' ')];
  if (detail !== undefined) parts.push(detail);
  if (stage === 'building' || stage === 'waiting') parts.push(`${Math.round(elapsedSeconds)} s`);
  return `${tool} ${version}: ${parts.join(', ')}`;
}
