/** Markdown for the Temporal UI: a running deployment at a glance, without opening a payload. */
import type { PhaseInput, ServiceOutcome, ServiceProgress } from '../contract/operations/deploy.ts';
import { FINAL_STATES } from '../contract/operations/states.ts';
import type { DeploymentProgress } from './progress.ts';
import { waitsFor } from './progress.ts';
import { heldLines, interventionText } from './steering/words.ts';

const MARKS: Record<string, string> = {
  waiting: '·',
  applying: '▸',
  starting: '◔',
  healthy: '✔',
  completed: '✔',
  unchanged: '＝',
  removing: '▾',
  removed: '✔',
  failed: '✘',
  skipped: '–',
  cancelled: '■',
};

/** @param phases phase titles by number */
export function deploymentDetails(view: DeploymentProgress, phases: ReadonlyMap<number, string>): string {
  const steered = steeringLines(view);
  if (!view.plan) return [...steered, 'Planning: reading the catalog, the environment and the cluster.'].join('\n');
  const lines = [
    `Environment **${view.plan.environment}**, plan \`${view.plan.digest}\`, critical path ${view.plan.criticalPathSeconds.toFixed(0)} s${view.plan.simulated ? ', pods simulated' : ''}`,
    '',
    ...steered,
  ];
  if (view.waits) lines.push(`**It ${view.waits.reason}**, since ${view.waits.since}.`, '');
  lines.push('| Phase | Service | State | Seconds | |', '|---|---|---|---|---|');
  for (const service of view.plan.services) {
    const progress = view.services[service.name];
    const state = progress?.state ?? 'waiting';
    const waiting = state === 'waiting' ? waitsFor(view, service.name) : [];
    const note =
      progress?.outcome?.failure?.message ??
      progress?.detail ??
      (waiting.length > 0 ? `waits for ${waiting.join(', ')}` : '');
    const seconds = progress?.outcome && FINAL_STATES.includes(state) ? progress.outcome.seconds.toFixed(1) : '';
    lines.push(
      `| ${service.phase} ${phases.get(service.phase) ?? ''} | ${service.name} | ${MARKS[state] ?? ''} ${state} | ${seconds} | ${cell(note)} |`,
    );
  }
  return lines.join('\n');
}

/** @param event the newest one; its service has not ended yet */
export function phaseDetails(
  input: Pick<PhaseInput, 'phase' | 'title' | 'services' | 'run'>,
  outcomes: ReadonlyMap<string, ServiceOutcome>,
  event: Pick<ServiceProgress, 'service' | 'state'>,
): string {
  const rows = input.services.map((service) => {
    const outcome = outcomes.get(service.name);
    const state = service.name === event.service ? event.state : (outcome?.state ?? 'waiting');
    return `| ${service.name} | ${state} | ${outcome ? outcome.seconds.toFixed(1) : ''} | ${service.reason} |`;
  });
  return [
    `Phase ${input.phase}: **${input.title}**, environment ${input.run.environment}`,
    '',
    '| Service | State | Seconds | Why |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** For whom it waits, and what was said to it. */
function steeringLines({ steering }: DeploymentProgress): string[] {
  if (steering === undefined) return [];
  const { interventions } = steering;
  return [
    ...heldLines(steering).flatMap((line) => [`**${cell(line)}**`, '']),
    ...interventions.map((one) => `- ${one.when} ${cell(interventionText(one))}`),
    ...(interventions.length > 0 ? [''] : []),
  ];
}

function cell(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
