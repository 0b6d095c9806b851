/** `ananta watch`: all environments of an engine on one screen. Reads only. */
import { connectTemporal } from '../../clients/temporal/index.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { type Interrupted, watchInterrupts } from '../deploy/interrupt.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { plainStyle } from '../shared/terminal.ts';
import { watchOperation, watchOperations } from './engine.ts';
import { placeWatcher } from './places.ts';
import { openScreen } from './screen.ts';
import { createServices } from './service.ts';
import { createStore } from './store.ts';

export async function runWatch(context: CliContext, env: string): Promise<ExitCode> {
  const environment = await loadEnvironment(env, context.config);
  const address = async () => (await resolveConnections(environment, context.config, { engine: true })).engine;
  const client = await connectTemporal(await address(), 10);
  const interrupts = watchInterrupts();
  const ended = new AbortController();
  const store = createStore();
  const engine = await watchOperations(client, address, store, ended.signal);
  const services = createServices(context, engine.client, store);
  const onPlace = placeWatcher(store, {
    operation: ({ run }, signal) => void watchOperation(engine, run, store, signal),
    service: ({ environment: name, service, tab }, signal) => void services.watch(name, service, tab, signal),
  });
  const screen = openScreen({ store, colours: context.terminal.style !== plainStyle, onPlace });
  const end = (): void => screen.end();
  interrupts.signal.addEventListener('abort', end, { once: true });
  if (interrupts.signal.aborted) end();
  try {
    await screen.ended;
    const { signal } = interrupts;
    // Ctrl-C is a key of this screen, also before the terminal hands keys over as such.
    const byKey = !signal.aborted || (signal.reason as Interrupted).message === 'SIGINT';
    return byKey ? EXIT_CODES.done : EXIT_CODES.cancelled;
  } finally {
    onPlace({ screen: 'environments' });
    ended.abort();
    await services.close();
    await engine.close();
    interrupts.dispose();
  }
}
