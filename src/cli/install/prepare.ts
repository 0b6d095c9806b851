/** Everything about an installation that can be found wrong before the cluster is asked. */
import type { Config } from '../../config.ts';
import { chartMirror } from '../../environment/fields/charts.ts';
import { imageReferenceSchema } from '../../environment/fields/deployer.ts';
import { environmentFiles } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import { type DeployerRelease, deployerReleases } from '../../plan/deployer/releases.ts';
import { notifyTargets } from '../../plan/notify/targets.ts';
import { referencesOf } from '../../plan/references.ts';
import type { InstallOptions } from './options.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { readEngineAccess, readHistoryKeys } from './secrets.ts';

export interface PreparedInstall {
  environment: Environment;
  /**
   * In the order of their installation. Undefined where nothing is installed. @param workflows ConfigMaps for the
   * workers to mount
   */
  releases: ((workflows: readonly string[]) => Promise<DeployerRelease[]>) | undefined;
  /** Files by which the workers open an engine outside the cluster, and encrypted histories; they hold keys. */
  engineAccess: Record<string, string>;
}

/** @throws CliError (refused) */
export async function prepareInstall(
  environment: Environment,
  options: Pick<InstallOptions, 'image'>,
  config: Config,
): Promise<PreparedInstall> {
  const { engine, name } = environment;
  if ('embedded' in engine) {
    throw refused(
      `The engine of "${name}" runs on this machine (engine.embedded in environments/${name}.yaml): there is nothing to put into a cluster.`,
      `engine: { inCluster: {} }   (in environments/${name}.yaml: an engine in the target cluster; see docs/do/install-the-deployer.md)`,
      `${commandLine('up', '--env', name)}   (starts the one on this machine)`,
    );
  }
  const image = options.image ?? environment.deployer.image;
  if (image !== undefined && !imageReferenceSchema.safeParse(image).success) {
    throw refused(`"${image}" is no image that says its version: it has to be NAME:TAG or NAME@sha256:DIGEST.`);
  }
  if (image === undefined) {
    // An engine that others run needs nothing of us; whoever wants workers in the cluster names their image.
    if ('address' in engine) return { environment, releases: undefined, engineAccess: {} };
    throw refused(
      'The workers need an image, and neither --image nor deployer.image of the environment names one.',
      `docker build --tag ${environment.images.prefix}/ananta-deploy:VERSION . && docker push ${environment.images.prefix}/ananta-deploy:VERSION`,
      commandLine('install', '--env', name, '--image', `${environment.images.prefix}/ananta-deploy:VERSION`),
    );
  }
  requireKeysForPods(environment);
  const engineAccess = { ...(await readEngineAccess(environment)), ...(await readHistoryKeys(environment, config)) };
  const files = await environmentFiles(name, config);
  return {
    environment,
    engineAccess,
    releases: (workflows) =>
      deployerReleases(environment, config, {
        image,
        environmentFiles: files,
        workflows,
        engineAccess: Object.keys(engineAccess).length > 0,
      }),
  };
}

/** A file in a pod is gone with the pod, and so would be the keys to everything in Vault. */
function requireKeysForPods({ vault, name }: Environment): void {
  if (vault.keys.store !== 'file') return;
  throw refused(
    `vault.keys.store of "${name}" is "file": in a pod that file would be gone with the pod, and with it the keys that open Vault.`,
    `vault: { keys: { store: kubernetes } }   (in environments/${name}.yaml; with publicKeys each share is readable by one person alone)`,
  );
}

/** Notes on what works on this machine and not in a pod: only notes, since a deployment succeeds without it. */
export function notesForPods(environment: Environment): string[] {
  const { notify, chartLock, telemetry } = environment;
  const mirror = chartMirror(environment);
  const files = [
    mirror?.ca,
    mirror?.credentials,
    mirror?.url.includes('://') === false ? mirror.url : undefined,
  ].filter((path) => path !== undefined);
  return [
    ...referencesOf(environment).flatMap(({ field, reference }) =>
      'file' in reference
        ? [`${field} (${reference.file}) is a file of this machine: the workers in the cluster do not have it.`]
        : 'env' in reference
          ? [`${field}: the workers in the cluster need the variable ${reference.env}; a Secret is read without it.`]
          : [],
    ),
    ...(telemetry?.traces?.headersFile === undefined
      ? []
      : [
          `telemetry.traces.headersFile (${telemetry.traces.headersFile}) is a file of this machine: the workers in the cluster do not have it.`,
        ]),
    ...notifyTargets(notify).flatMap((target) =>
      'command' in target
        ? [
            `${target.earlier ? 'notify.command' : `notify.targets.${target.name}.command`} (${target.command[0] ?? ''}) has to be in the workers' image.`,
          ]
        : [],
    ),
    ...(chartLock?.startsWith('/') === true
      ? [`chartLock (${chartLock}) has to be in the workers' image at that path.`]
      : []),
    ...files.map((path) => `chartMirror names ${path} of this machine, which the workers in the cluster do not have.`),
  ];
}
