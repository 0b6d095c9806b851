/** What the cluster shows of one service: why it is in its state, what its pods log, its events. */
import type { Client } from '@temporalio/client';
import { type Clients, createClients } from '../../clients/index.ts';
import type { Service } from '../../catalog/schema.ts';
import { readServiceEvents } from '../../effects/events.ts';
import { explainService } from '../../effects/explain.ts';
import { followPodLogs } from '../../effects/pod-logs.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { adviceFor } from '../../plan/explain/advice.ts';
import { requireOwnCluster } from '../deploy/binding.ts';
import { readOperationOf } from '../look/explain.ts';
import { explanationLines } from '../render/explain.ts';
import type { CliContext } from '../shared/context.ts';
import { explain } from '../shared/explain.ts';
import { oneLine } from '../shared/format.ts';
import { pause } from '../shared/pause.ts';
import { plainStyle } from '../shared/terminal.ts';
import type { Tab } from './model.ts';
import type { Store } from './store.ts';

const AGAIN_MS = 5000;
const KEPT_LINES = 2000;
const FIRST_LINES = 200;

export interface Services {
  /** Keeps the text of a tab current until the signal. Never rejects. */
  watch: (environment: string, service: string, tab: Tab, signal: AbortSignal) => Promise<void>;
  close: () => Promise<void>;
}

/** Connections to clusters are opened when a service of theirs is looked at first. */
export function createServices(context: CliContext, engine: () => Client, store: Store): Services {
  const opened = new Map<string, Promise<Clients>>();
  const clientsOf = (name: string, signal: AbortSignal): Promise<Clients> => {
    const known = opened.get(name) ?? openClients(context, name, signal);
    opened.set(name, known);
    known.catch(() => opened.delete(name));
    return known;
  };
  return {
    async watch(environment, name, tab, signal) {
      const show = (lines: readonly string[]): void => {
        if (!signal.aborted) store.update((data) => ({ ...data, texts: { ...data.texts, [tab]: lines } }));
      };
      while (!signal.aborted) {
        try {
          const clients = await clientsOf(environment, signal);
          const service = clients.catalog.services.find((one) => one.name === name);
          if (!service) {
            show([`The platform of "${environment}" has no service "${name}" here.`]);
            return;
          }
          await READERS[tab]({ clients, service, engine: engine(), signal, show, context });
        } catch (error) {
          show(explain(error, { command: 'watch', environment }).lines(plainStyle));
        }
        await pause(AGAIN_MS, signal);
      }
    },
    async close() {
      await Promise.all(
        [...opened.values()].map((clients) => clients.then((one) => one.close()).catch(() => undefined)),
      );
    },
  };
}

async function openClients(context: CliContext, name: string, signal: AbortSignal): Promise<Clients> {
  const environment = await loadEnvironment(name, context.config);
  const connections = await resolveConnections(environment, context.config);
  const clients = await createClients(environment, connections, context.config, {
    isRunAlive: () => Promise.resolve(false),
  });
  try {
    await requireOwnCluster(clients, signal);
    return clients;
  } catch (error) {
    await clients.close();
    throw error;
  }
}

interface Reading {
  context: CliContext;
  clients: Clients;
  service: Service;
  engine: Client;
  signal: AbortSignal;
  show: (lines: readonly string[]) => void;
}

const READERS: Record<Tab, (reading: Reading) => Promise<void>> = {
  async explain({ context, clients, service, engine, signal, show }) {
    const [{ cleaned, ...found }, operation] = await Promise.all([
      explainService(clients, service, { signal }),
      readOperationOf(engine, clients.environment.name, service),
    ]);
    const explanation = { ...found, ...operation };
    const lines = explanationLines(explanation, adviceFor(explanation), {
      environment: clients.environment.name,
      columns: context.terminal.stdout.columns ?? 80,
      style: plainStyle,
      now: Date.now(),
      cleaned,
    });
    show(lines);
  },
  async logs({ clients, service, signal, show }) {
    let lines: string[] = [];
    const add = (text: string): void => {
      lines = [...lines, text].slice(-KEPT_LINES);
      show(lines);
    };
    show([]);
    await followPodLogs(clients, service, {
      lines: FIRST_LINES,
      signal,
      onLine: ({ pod, container, text }) => add(`${pod}/${container} | ${oneLine(text)}`),
      onProblem: (text) => add(oneLine(text)),
    });
  },
  async events({ clients, service, signal, show }) {
    const events = await readServiceEvents(clients, service, signal);
    show(
      events.flatMap(({ at, warning, object, reason, message, count }) => [
        `${at.slice(11, 19)} ${warning ? '! ' : '  '}${reason}${count > 1 ? ` (${count} times)` : ''}  ${object}`,
        ...(message === '' ? [] : [`           ${oneLine(message)}`]),
      ]),
    );
  },
};
