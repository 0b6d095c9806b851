/** `ananta preflight --kubernetes VERSION`: what stands in the way of another Kubernetes. Changes nothing. */
import { join } from 'node:path';
import { stateDir } from '../../config.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import { allReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { findRelease } from '../../plan/releases.ts';
import { readApiLifecycles } from '../../plan/upgrade/apis.ts';
import { kubernetesVersion, versionText } from '../../plan/upgrade/judge.ts';
import { type UpgradeFacts, upgradeLines, upgradeReport } from '../../plan/upgrade/report.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine, truncate } from '../shared/format.ts';
import { installedHelm, noHelmNote } from '../shared/components/helm-binary.ts';
import { printLines } from '../shared/terminal.ts';

export interface PreflightOptions {
  env: string;
  kubernetes: string;
  /** False: --no-cluster. */
  cluster: boolean;
  json?: true;
}

/** @returns 0 nothing is in the way, 2 something is */
export async function preflightKubernetes(
  context: CliContext,
  { env, kubernetes, cluster, json }: PreflightOptions,
): Promise<ExitCode> {
  const { config, terminal } = context;
  const target = kubernetesVersion(kubernetes);
  if (target?.major !== 1)
    throw refused(
      `--kubernetes ${truncate(kubernetes, 40)} is no version of Kubernetes: a minor version is asked for, such as 1.36.`,
      commandLine('preflight', '--env', env, '--kubernetes', '1.36'),
    );
  const environment = await loadEnvironment(env, config);
  const catalog = await loadPlatform(environment, config);
  const { apis, source } = await readApiLifecycles();
  const inputs = [...(await allReleaseInputs(catalog, environment, {}, config))].map(([release, input]) => ({
    release,
    namespace: findRelease(catalog, release).namespace,
    input,
  }));
  const survey = cluster ? await surveyed() : undefined;
  const facts = { ...(await renderedFacts()), ...(survey === undefined ? {} : { survey }) };
  const report = upgradeReport(target, facts, apis);
  if (json) printLines(terminal.stdout, [JSON.stringify({ environment: env, source, ...report })]);
  else printLines(terminal.stdout, upgradeLines(report));
  return report.ready ? EXIT_CODES.done : EXIT_CODES.changes;

  async function surveyed(): Promise<NonNullable<UpgradeFacts['survey']>> {
    const { withLiveClients } = await import('../shared/clients.ts');
    const { surveyApis } = await import('../../effects/upgrade/survey.ts');
    return withLiveClients(context, environment, (clients, signal) =>
      surveyApis(clients, target ?? { major: 1, minor: 0 }, apis, signal),
    );
  }

  async function renderedFacts(): Promise<Omit<UpgradeFacts, 'survey'>> {
    const helm = await installedHelm(config);
    if (helm === undefined) return { rendered: new Map(), charts: [], notes: [noHelmNote(env)] };
    const rendering = {
      helm,
      home: join(stateDir(config, env), 'helm'),
      env: config.childEnv,
      kubernetes: `${versionText(target ?? { major: 1, minor: 0 })}.0`,
    };
    // Loaded late: it brings the clients, and a wrong option should be refused at once.
    const { renderedFor } = await import('../../effects/upgrade/rendered.ts');
    const { used, refused: charts, missing } = await renderedFor(rendering, inputs);
    return {
      rendered: used,
      charts,
      notes:
        missing.length === 0
          ? []
          : [
              `charts that are not on this machine: ${missing.join(', ')}. ${commandLine('charts', 'pull', '--env', env)} fetches them`,
            ],
    };
  }
}
