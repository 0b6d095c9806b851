/** Markdown for the Temporal UI: a running deployment at a glance, without opening a payload. */
import type { PhaseInput, ServiceOutcome, ServiceProgress, ServiceState } from '../contract/operations/deploy.ts';
import type { OperationPlan, PlannedService } from '../contract/operations/plan.ts';
import { FINAL_STATES } from '../contract/operations/states.ts';
import type { DeploymentProgress } from './progress.ts';
import { stateOf, waitsFor } from './progress.ts';
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

/** Of how many services each has a row at any time. Written anew after every report, so larger pages are folded. */
const MOST_ROWS = 100;

export function deploymentDetails(view: DeploymentProgress): string {
  const { plan } = view;
  const steered = steeringLines(view);
  if (!plan) return [...steered, 'Planning: reading the catalog, the environment and the cluster.'].join('\n');
  const lines = [
    `Environment **${plan.environment}**, plan \`${plan.digest}\`, critical path ${plan.criticalPathSeconds.toFixed(0)} s${plan.simulated ? ', pods simulated' : ''}`,
    '',
    ...steered,
  ];
  if (view.waits) lines.push(`**It ${view.waits.reason}**, since ${view.waits.since}.`, '');
  const { shown, folded } = foldedServices(view, plan.services);
  if (folded > 0) lines.push(...phaseCounts(view, plan), '');
  lines.push('| Phase | Service | State | Seconds | |', '|---|---|---|---|---|');
  const titles = new Map(plan.phases.map(({ number, title }) => [number, title]));
  for (const service of shown) {
    const progress = view.services[service.name];
    const state = stateOf(view, service.name);
    const waiting = state === 'waiting' && folded === 0 ? waitsFor(view, service.name) : [];
    const note =
      progress?.outcome?.failure?.message ??
      progress?.detail ??
      (waiting.length > 0 ? `waits for ${waiting.join(', ')}` : '');
    const seconds = progress?.outcome && FINAL_STATES.includes(state) ? progress.outcome.seconds.toFixed(1) : '';
    lines.push(
      `| ${service.phase} ${titles.get(service.phase) ?? ''} | ${service.name} | ${MARKS[state] ?? ''} ${state} | ${seconds} | ${cell(note)} |`,
    );
  }
  if (folded > 0) lines.push('', `${folded} more services are counted above.`);
  return lines.join('\n');
}

/** Of many services those that somebody would look for: what failed, then what is being worked on. */
function foldedServices(
  view: DeploymentProgress,
  services: readonly PlannedService[],
): { shown: readonly PlannedService[]; folded: number } {
  if (services.length <= MOST_ROWS) return { shown: services, folded: 0 };
  const failed = services.filter(({ name }) => stateOf(view, name) === 'failed');
  const running = services.filter(({ name }) => isRunning(stateOf(view, name)));
  const shown = [...failed, ...running].slice(0, MOST_ROWS);
  return { shown, folded: services.length - shown.length };
}

function isRunning(state: ServiceState): boolean {
  return state !== 'waiting' && !FINAL_STATES.includes(state);
}

/** A row for each phase: how many of its services are in which state. */
function phaseCounts(view: DeploymentProgress, { phases, services }: OperationPlan): string[] {
  const counts = new Map(phases.map(({ number }) => [number, new Map<string, number>()]));
  for (const service of services) {
    const states = counts.get(service.phase);
    const state = stateOf(view, service.name);
    states?.set(state, (states.get(state) ?? 0) + 1);
  }
  const words = (states: ReadonlyMap<string, number>): string =>
    Object.keys(MARKS)
      .flatMap((state) => (states.has(state) ? [`${MARKS[state] ?? ''} ${states.get(state) ?? 0} ${state}`] : []))
      .join(', ');
  return [
    '| Phase | Services |',
    '|---|---|',
    ...phases.map(({ number, title }) => `| ${number} ${title} | ${words(counts.get(number) ?? new Map())} |`),
  ];
}

/** @param event the newest one; its service has not ended yet */
export function phaseDetails(
  input: Pick<PhaseInput, 'phase' | 'title' | 'services' | 'run'>,
  outcomes: ReadonlyMap<string, ServiceOutcome>,
  event: Pick<ServiceProgress, 'service' | 'state'>,
): string {
  const rows = input.services.slice(0, MOST_ROWS).map((service) => {
    const outcome = outcomes.get(service.name);
    const state = service.name === event.service ? event.state : (outcome?.state ?? 'waiting');
    return `| ${service.name} | ${state} | ${outcome ? outcome.seconds.toFixed(1) : ''} | ${service.reason} |`;
  });
  const more = input.services.length - rows.length;
  return [
    `Phase ${input.phase}: **${input.title}**, environment ${input.run.environment}`,
    '',
    '| Service | State | Seconds | Why |',
    '|---|---|---|---|',
    ...rows,
    ...(more > 0 ? ['', `${more} more services; ${outcomes.size} of ${input.services.length} have ended.`] : []),
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
