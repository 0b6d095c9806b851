/**
 * The newest operation of an environment that changed something as a moving picture for the docs, made from its history
 * in the engine: the very lines that a terminal shows while it runs.
 *
 *   node launcher.mjs --run scripts/moving-picture.ts [--env sandbox] [--out docs/images/deployment.svg] [--speed 4]
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { applyLive, emptyLive, type LiveEvent } from '../src/cli/render/live.ts';
import { treeLines } from '../src/cli/render/tree.ts';
import {
  closeTemporal,
  connectTemporal,
  deploymentsOf,
  DeploymentTerminatedError,
} from '../src/clients/temporal/index.ts';
import { readDeployment } from '../src/clients/temporal/histories/read.ts';
import { readConfig } from '../src/config.ts';
import { resolveConnections } from '../src/environment/connections.ts';
import { loadEnvironment } from '../src/environment/load.ts';
import { animatedSvg, type Frame, type Span } from './animated-svg.ts';
import { changedSomething } from './changed.ts';

const COLUMNS = 100;
const ROWS = 28;
/** Clocks in the picture tick once a second; a change of state is seen within half of that. */
const FRAME_SECONDS = 0.5;

const { values } = parseArgs({
  options: {
    env: { type: 'string', default: 'sandbox' },
    out: { type: 'string', default: 'docs/images/deployment.svg' },
    speed: { type: 'string', default: '4' },
  },
});
const config = readConfig();
const environment = await loadEnvironment(values.env, config);
const events = await eventsOf();
const svg = animatedSvg(framesOf(events), {
  columns: COLUMNS,
  speed: Number(values.speed),
  restSeconds: 4,
  title: `A deployment to ${environment.name}, ${values.speed} times faster than it was`,
});
await writeFile(values.out, svg);
console.log(`${values.out}: ${Math.round(svg.length / 1024)} KiB`);

async function eventsOf(): Promise<LiveEvent[]> {
  const { engine } = await resolveConnections(environment, config);
  const client = await connectTemporal(engine);
  try {
    for (const deployment of await deploymentsOf(client, environment.name)) {
      const found: LiveEvent[] = [];
      await readDeployment(client, deployment, (event) => void found.push(event)).catch((error: unknown) => {
        // As far as it came.
        if (!(error instanceof DeploymentTerminatedError)) throw error;
      });
      if (changedSomething(found)) return found;
    }
    throw new Error(`Nothing was changed in "${environment.name}" by an operation that this engine knows`);
  } finally {
    await closeTemporal(client);
  }
}

function framesOf(all: readonly LiveEvent[]): Frame[] {
  const times = all.flatMap((event) => timeOf(event) ?? []);
  const start = Math.min(...times);
  const end = Math.max(...times);
  const frames: Frame[] = [];
  for (let now = start; now <= end + FRAME_SECONDS * 1000; now += FRAME_SECONDS * 1000) {
    const view = all.filter((event) => (timeOf(event) ?? end) <= now).reduce(applyLive, emptyLive());
    frames.push({ at: (now - start) / 1000, lines: linesAt(view, now) });
  }
  return frames;
}

function linesAt(view: ReturnType<typeof emptyLive>, now: number): Span[] {
  const tones = new Map<string, string>();
  const style = (tone: string, text: string): string => {
    tones.set(text, tone);
    return text;
  };
  return treeLines(view, { environment: environment.name, now, columns: COLUMNS, rows: ROWS, style }).map((text) => ({
    text,
    tone: tones.get(text) ?? 'plain',
  }));
}

/** Milliseconds since the epoch. */
function timeOf(event: LiveEvent): number | undefined {
  if (event.kind === 'started' || event.kind === 'plan') return event.at;
  return event.kind === 'progress' ? event.event.at : undefined;
}
