/** `ananta rehearse`: the environment's deployment on a throwaway cluster, undisturbed and hit by faults. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Catalog } from '../../catalog/schema.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import { platformName } from '../../environment/platform-folder.ts';
import type { Environment } from '../../environment/schema.ts';
import { digestOf } from '../../plan/digest.ts';
import { allReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import {
  type Certificate,
  problemsOf,
  rehearsalPassed,
  type RehearsedRun,
  runPassed,
} from '../../plan/rehearsal/certificate.ts';
import { differenceText } from '../../plan/rehearsal/compare.ts';
import { contentDigest } from '../../plan/rehearsal/content.ts';
import { faultText, planFaults } from '../../plan/rehearsal/faults.ts';
import { renderCertificate } from '../../plan/rehearsal/html.ts';
import { certificateMarkdown } from '../../plan/rehearsal/markdown.ts';
import { mayDiffer } from '../../plan/rehearsal/rules.ts';
import { NEVER_SHOWN, standOf } from '../../plan/rehearsal/stand.ts';
import { type ComparableState } from '../../plan/rehearsal/state.ts';
import { Interrupted, watchInterrupts } from '../deploy/interrupt.ts';
import { checkImages } from '../shared/arguments.ts';
import type { CliContext } from '../shared/context.ts';
import { CliError, type ExitCode, refused } from '../shared/failure.ts';
import { printLines } from '../shared/terminal.ts';
import { begin, EMPTY } from './beginning.ts';
import { type Ended, runOnce } from './one-run.ts';
import type { RehearseOptions } from './options.ts';
import { differencesTo, type Settled, settledState } from './state.ts';
import { type Stage, withStage } from './stage.ts';
import { isSuccess } from '../../contract/operations/states.ts';

/** The certificate holds all of them. */
const MOST_PROBLEMS = 30;

export async function runRehearse(context: CliContext, options: RehearseOptions): Promise<ExitCode> {
  const { config, terminal } = context;
  const environment = await loadEnvironment(options.env, config);
  const catalog = await loadPlatform(environment, config);
  checkImages(
    options.image ?? {},
    catalog.services.map(({ name }) => name),
  );
  if (options.rollback && options.from === EMPTY)
    throw refused(
      '--rollback: there is nothing to roll back to where a run begins with nothing.',
      'Say what it begins with: --from COMMIT, VERSION, live or FILE',
    );
  const interrupts = watchInterrupts();
  const say = (line: string): void => printLines(terminal.stderr, [line]);
  try {
    const certificate = await rehearsed(context, { environment, catalog, options, say }, interrupts.signal);
    const files = await written(certificate, options.out ?? `rehearsal-${environment.name}`);
    if (options.json) printLines(terminal.stdout, [JSON.stringify(certificate)]);
    else if (options.markdown) terminal.stdout.write(certificateMarkdown(certificate));
    else printLines(terminal.stdout, [...summary(certificate), ...files]);
    return certificate.passed ? EXIT_CODES.done : EXIT_CODES.failed;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new CliError(
      `Interrupted (${error.message}): the throwaway cluster has been put down, nothing is left of it.`,
      {
        exitCode: EXIT_CODES.cancelled,
        cause: error,
      },
    );
  } finally {
    interrupts.dispose();
  }
}

interface Asked {
  environment: Environment;
  catalog: Catalog;
  options: RehearseOptions;
  say: (line: string) => void;
}

async function rehearsed(context: CliContext, asked: Asked, signal: AbortSignal): Promise<Certificate> {
  const { environment, catalog, options, say } = asked;
  const { config } = context;
  const imageTags = options.image ?? {};
  const stand = standOf(environment, catalog);
  const deploy = ['deploy', ...Object.entries(imageTags).map(([service, tag]) => `--image=${service}=${tag}`)];
  const commands = options.rollback ? [deploy, ['rollback'], deploy] : [deploy];
  return withStage(config, environment, stand.file, async (stage) => {
    const [own, there] = await Promise.all(
      [environment, stage.environment].map((one) => allReleaseInputs(catalog, one, imageTags, config)),
    );
    const begun = await begin(context, stage, options.from, {
      environment,
      catalog,
      digests: own ?? new Map(),
      say,
      signal,
    });
    say(`Rehearsing ${environment.name}: undisturbed`);
    const first = await runOnce(context, stage, commands, [], signal);
    const { state, restless }: Settled = isSuccess(first.outcome)
      ? await settledState(stage, signal)
      : { state: {}, restless: [] };
    const isFit = isSuccess(first.outcome) && restless.length === 0;
    const versions = { ...(await versionsOf(stage)), node: process.version, 'ananta-deploy': context.version };
    say(`  ${first.outcome} in ${first.seconds.toFixed(1)} s`);
    await stage.reset();
    const runs: RehearsedRun[] = [];
    for (let run = 1; isFit && run <= options.runs; run += 1)
      runs.push(await disturbed(context, stage, { run, commands, first, state }, asked, signal));
    const undisturbed = {
      outcome: restless.length === 0 ? first.outcome : 'did not come to rest',
      seconds: first.seconds,
      ...countsOf(state),
      state: digestOf(state),
      ...(first.failure === undefined ? {} : { failure: first.failure }),
      // Compared with a state that still moves, every run would differ, or be the same by chance.
      ...(restless.length === 0 ? {} : { failure: restless.map(differenceText).slice(0, MOST_PROBLEMS).join('; ') }),
    };
    return {
      format: 1,
      environment: environment.name,
      platform: platformName(environment),
      at: new Date().toISOString(),
      requestedBy: config.requestedBy,
      passed: rehearsalPassed({ undisturbed, runs }),
      seed: options.seed,
      from: begun.words,
      operations: commands.map(([name = '']) => name),
      plan: {
        digest: first.planDigest,
        content: contentDigest(own ?? new Map()),
        services: catalog.services.length,
        imageTags,
        otherwise: [...(own ?? [])].flatMap(([name, { digest }]) =>
          there?.get(name)?.digest === digest ? [] : [name],
        ),
      },
      versions,
      undisturbed,
      runs,
      standIns: [...stand.standIns, ...begun.standIns],
      neverShown: [...NEVER_SHOWN],
      mayDiffer: mayDiffer(),
    };
  });
}

async function disturbed(
  context: CliContext,
  stage: Stage,
  { run, commands, first, state }: { run: number; commands: string[][]; first: Ended; state: ComparableState },
  { options, say }: Asked,
  signal: AbortSignal,
): Promise<RehearsedRun> {
  const faults = planFaults({ seed: options.seed, run, faults: options.faults, moments: first.moments });
  say(`Run ${run} of ${options.runs}`);
  for (const fault of faults) say(`  ${faultText(fault)}`);
  const ended = await runOnce(context, stage, commands, faults, signal);
  const differences = isSuccess(ended.outcome) ? await differencesTo(state, stage, signal) : [];
  const result: RehearsedRun = {
    run,
    outcome: ended.outcome,
    seconds: ended.seconds,
    faults: ended.faults,
    retries: ended.retries,
    differences,
    ...(ended.failure === undefined ? {} : { failure: ended.failure }),
  };
  say(`  ${runPassed(result) ? 'ended in the same state' : 'NOT passed'} after ${ended.seconds.toFixed(1)} s`);
  await stage.reset();
  return result;
}

function countsOf(state: ComparableState): { objects: number; releases: number; vault: number } {
  const subjects = Object.keys(state);
  const releases = subjects.filter((subject) => subject.startsWith('Release ')).length;
  const vault = subjects.filter((subject) => subject.startsWith('Vault ')).length;
  return { objects: subjects.length - releases - vault, releases, vault };
}

async function versionsOf({ config, environment }: Stage): Promise<Record<string, string>> {
  const { componentStates } = await import('../../../bootstrap/index.ts');
  const states = await componentStates(environment, config);
  return Object.fromEntries(states.map(({ name, version }) => [name, version]));
}

/** @returns lines that name them */
async function written(certificate: Certificate, out: string): Promise<string[]> {
  const base = resolve(out.replace(/\.(json|html)$/, ''));
  await writeFile(`${base}.json`, `${JSON.stringify(certificate, undefined, 2)}\n`);
  await writeFile(`${base}.html`, renderCertificate(certificate));
  return [`${base}.json`, `${base}.html`];
}

function summary(certificate: Certificate): string[] {
  const { environment, passed, plan, undisturbed, runs, seed } = certificate;
  const problems = problemsOf(certificate);
  return [
    passed
      ? `${environment} has been rehearsed: ${runs.length} disturbed ${runs.length === 1 ? 'run' : 'runs'} ended in the state of the undisturbed one.`
      : `The rehearsal of ${environment} has not passed.`,
    ...problems.slice(0, MOST_PROBLEMS).map((problem) => `  ${problem}`),
    ...(problems.length > MOST_PROBLEMS ? [`  and ${problems.length - MOST_PROBLEMS} more, in the certificate`] : []),
    `Plan ${plan.digest}, seed ${seed}; ${undisturbed.objects} objects, ${undisturbed.releases} releases, ${undisturbed.vault} parts of Vault compared.`,
  ];
}
