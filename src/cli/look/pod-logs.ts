/** `ananta logs SERVICE`: all replicas of a service, its Jobs too, each line behind the name of its pod. */
import type { LogLine } from '../../plan/explain/log-line.ts';
import type { Service } from '../../catalog/schema.ts';
import type { Environment } from '../../environment/schema.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { namedLine } from '../shared/pod-line.ts';
import { type Output, type Style, written } from '../shared/terminal.ts';

export interface PodLogsOptions {
  follow?: true;
  lines: number;
  previous?: true;
  json?: true;
}

export async function printPodLogs(
  context: CliContext,
  environment: Environment,
  service: Service,
  options: PodLogsOptions,
): Promise<void> {
  const { terminal } = context;
  const print = printer(terminal.stdout, terminal.style, options.json === true);
  // Loaded late: the clients take a second, and a wrong name should be refused at once.
  const { withLiveClients } = await import('../shared/clients.ts');
  const { followPodLogs, readPodLogs } = await import('../../effects/pod-logs.ts');
  await withLiveClients(context, environment, async (clients, signal) => {
    const wanted = { lines: options.lines, previous: options.previous === true, signal };
    if (options.follow) {
      const told = new Set<string>();
      await followPodLogs(clients, service, {
        ...wanted,
        onLine: (line) => print(line, signal),
        onProblem: (text) => {
          if (!told.has(text)) terminal.stderr.write(`${terminal.errorStyle('bad', text)}\n`);
          told.add(text);
        },
      });
      return;
    }
    const { lines, containers } = await readPodLogs(clients, service, wanted);
    if (containers === 0)
      throw refused(
        options.previous
          ? `No container of ${service.name} was ever started anew, so there is no log of before.`
          : `No container of ${service.name} has started yet.`,
        commandLine('explain', service.name, '--env', environment.name),
      );
    for (const line of lines) await print(line, signal);
  });
}

/**
 * @returns a function that writes a line, and ends when a slow reader has taken it; names are as wide as the widest so
 * far
 */
function printer(output: Output, style: Style, json: boolean): (line: LogLine, signal: AbortSignal) => Promise<void> {
  let width = 0;
  return (line, signal) => {
    if (json) return written(output, `${JSON.stringify(line)}\n`, signal);
    const { name, text } = namedLine(line);
    width = Math.max(width, name.length);
    return written(output, `${style('dim', `${name.padEnd(width)} |`)} ${text}\n`, signal);
  };
}
