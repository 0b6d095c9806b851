/** `ananta verify`. */
import type { Verification } from '../../effects/verify.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { commandLine, count, oneLine } from '../shared/format.ts';
import { printLines, type Style } from '../shared/terminal.ts';

export interface VerifyOptions {
  env: string;
  json?: true;
}

export async function runVerify(context: CliContext, options: VerifyOptions): Promise<ExitCode> {
  const environment = await loadEnvironment(options.env, context.config);
  // Loaded late: the clients take a second, and a wrong name should be told at once.
  const { withLiveClients } = await import('../shared/clients.ts');
  const { verifyAll } = await import('../../effects/verify.ts');
  const services = await withLiveClients(context, environment, (clients, signal) => verifyAll(clients, { signal }));
  const healthy = services.every((service) => service.healthy);
  const { terminal } = context;
  if (options.json)
    printLines(terminal.stdout, [
      JSON.stringify({
        environment: environment.name,
        healthy,
        services,
        warnings: services.flatMap(({ warnings }) => warnings),
      }),
    ]);
  else printLines(terminal.stdout, verificationLines(environment.name, services, terminal.style));
  return healthy ? EXIT_CODES.done : EXIT_CODES.failed;
}

/** Those that are not healthy last, where they are seen. */
export function verificationLines(environment: string, services: readonly Verification[], style: Style): string[] {
  const width = Math.max(0, ...services.map(({ service }) => service.length));
  const line = ({ service, healthy, proof, reason }: Verification): string =>
    style(
      healthy ? 'good' : 'bad',
      `${healthy ? '✔' : '✘'} ${service.padEnd(width)}  ${oneLine(healthy ? proof : reason)}`.trimEnd(),
    );
  const sick = services.filter(({ healthy }) => !healthy);
  const [first] = sick;
  const warnings = services.flatMap((service) => service.warnings);
  return [
    ...services.filter(({ healthy }) => healthy).map(line),
    ...sick.map(line),
    '',
    ...(warnings.length === 0 ? [] : [...warnings.map((warning) => style('busy', `! ${oneLine(warning)}`)), '']),
    sick.length === 0
      ? style('good', `All ${count(services.length, 'service')} of ${environment} are healthy.`)
      : style(
          'bad',
          `${sick.length} of ${count(services.length, 'service')} of ${environment} ${sick.length === 1 ? 'is' : 'are'} not healthy.`,
        ),
    ...(first === undefined
      ? []
      : [
          `${style('bold', 'Next:')} ${commandLine('logs', 'helm', first.service, '--env', environment)}   (what Helm said about ${first.service})`,
          `${style('bold', 'Next:')} ${commandLine('deploy', '--env', environment)}   (brings back what is missing)`,
        ]),
  ];
}
