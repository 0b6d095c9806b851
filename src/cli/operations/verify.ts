/** `ananta verify`. */
import type { CheckRow } from '../../effects/checks/all.ts';
import type { Verification } from '../../effects/verify.ts';
import { checkKey } from '../../contract/checks.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { commandLine, count, oneLine } from '../shared/format.ts';
import { printLines, type Style } from '../shared/terminal.ts';

export interface VerifyOptions {
  env: string;
  json?: true;
  deep?: true;
}

export async function runVerify(context: CliContext, options: VerifyOptions): Promise<ExitCode> {
  const environment = await loadEnvironment(options.env, context.config);
  // Loaded late: the clients take a second, and a wrong name should be refused at once.
  const { withLiveClients } = await import('../shared/clients.ts');
  const { verifyAll } = await import('../../effects/verify.ts');
  const { services, checks } = await withLiveClients(context, environment, async (clients, signal) => {
    const rows = await verifyAll(clients, { signal });
    if (!options.deep) return { services: rows, checks: undefined };
    const { checkAll } = await import('../../effects/checks/all.ts');
    return { services: rows, checks: await checkAll(clients, environment, signal) };
  });
  const healthy =
    services.every((service) => service.healthy) && (checks ?? []).every(({ outcome }) => outcome !== 'failed');
  const { terminal } = context;
  if (options.json)
    printLines(terminal.stdout, [
      JSON.stringify({
        environment: environment.name,
        healthy,
        services,
        ...(checks === undefined ? {} : { checks }),
        warnings: services.flatMap(({ warnings }) => warnings),
      }),
    ]);
  else
    printLines(terminal.stdout, [
      ...verificationLines(environment.name, services, terminal.style),
      ...(checks === undefined ? [] : checkLines(environment.name, checks, terminal.style)),
    ]);
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

/** Those that have failed last, as above. */
export function checkLines(environment: string, checks: readonly CheckRow[], style: Style): string[] {
  if (checks.length === 0) return ['', `The platform of ${environment} declares no checks beyond health.`];
  const width = Math.max(...checks.map((check) => checkKey(check).length));
  const marks = { passed: '✔', skipped: '–', failed: '✘' } as const;
  const colours = { passed: 'good', skipped: 'dim', failed: 'bad' } as const;
  const line = ({ outcome, text, ...check }: CheckRow): string =>
    style(
      colours[outcome],
      `${marks[outcome]} ${checkKey(check).padEnd(width)}  ${oneLine(outcome === 'skipped' ? `not made: ${text}` : text)}`,
    );
  const of = (wanted: CheckRow['outcome']): CheckRow[] => checks.filter(({ outcome }) => outcome === wanted);
  const failed = of('failed');
  return [
    '',
    ...[...of('passed'), ...of('skipped'), ...failed].map(line),
    '',
    failed.length === 0
      ? style('good', `${count(of('passed').length, 'check')} of ${environment} passed.`)
      : style('bad', `${failed.length} of ${count(checks.length, 'check')} of ${environment} failed.`),
  ];
}
