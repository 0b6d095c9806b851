/** The root of an operation's trace: the command that asks for it. */
import type { Environment } from '../../environment/schema.ts';
import { tracesOf } from '../../environment/fields/telemetry.ts';
import { annotateSpan } from '../../process/spans.ts';
import type { CliContext } from './context.ts';

/** Nothing is loaded where nobody asks for traces. A collector that is away costs a line, never the operation. */
export async function traced<T>(
  { config, version, terminal }: CliContext,
  environment: Pick<Environment, 'name' | 'telemetry'>,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  const settings = tracesOf(environment, config.otel);
  if (settings === undefined) return work();
  const { startTracing } = await import('../../clients/telemetry/tracing.ts');
  const tracing = await startTracing(settings, {
    service: 'ananta',
    version,
    environment: environment.name,
    variables: config.otel,
  });
  try {
    return await tracing.root(`ananta ${command}`, { 'ananta.command': command }, config.traceparent, async () => {
      const ended = await work();
      if (typeof ended === 'number') annotateSpan({ 'process.exit.code': ended });
      return ended;
    });
  } finally {
    const problem = await tracing.close();
    if (problem !== undefined) terminal.stderr.write(`Spans of this command could not be sent: ${problem}\n`);
  }
}
