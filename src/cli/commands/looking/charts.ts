import type { Command } from 'commander';
import { parseDays } from '../../shared/arguments.ts';
import { environmentCommand, plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { ChartsOptions, BundleOptions, PruneOptions } from '../../charts/options.ts';

const NAMES = 'keys of charts, as `charts list` shows them; all that the environment needs when none is given';

export function chartsCommand(context: CliContext): Command {
  const { finish } = context;
  const list = jsonCommand('list', {
    summary: "list the publishers' charts: version, digest, whether it is on this machine",
    description: `Lists every publisher's chart of the catalog with the version and digest that the lock pins, the services that
the environment makes from it, where it is fetched from, and whether a verified copy lies in the cache. Asks nobody.`,
    examples: [['charts list --env prod', 'What prod installs from publishers.']],
  }).action(async (options: ChartsOptions) => {
    finish(await (await import('../../charts/list.ts')).listCharts(context, options));
  });
  const pull = jsonCommand('pull', {
    summary: 'fetch the charts that an environment needs, and verify them',
    changesHere: true,
    description: `Fetches each chart with Helm from its publisher, or from the environment's chartMirror, and keeps it only when its
digest is the one in the lock. What is there already is not fetched again. Helm's own files of the user are
neither read nor written; HTTPS_PROXY and NO_PROXY hold.

Exit code 3: a chart cannot be had, or is not the one that the lock names.`,
    examples: [
      ['charts pull --env prod', 'Everything that prod installs from publishers.'],
      ['charts pull vault --env prod', 'One of them.'],
    ],
  })
    .argument('[chart...]', NAMES)
    .action(async (names: string[], options: ChartsOptions) => {
      finish(await (await import('../../charts/pull.ts')).pullCharts(context, names, options));
    });
  const verify = jsonCommand('verify', {
    summary: 'compare the cached charts with the lock',
    description: `Hashes what lies in the cache and compares it with the lock. Asks nobody and fetches nothing.

Exit code 2: a chart is missing, damaged or not in the lock.`,
    examples: [['charts verify --env prod', 'Whether prod could be deployed without network.']],
  }).action(async (options: ChartsOptions) => {
    finish(await (await import('../../charts/list.ts')).verifyCharts(context, options));
  });
  const lock = jsonCommand('lock', {
    summary: 'write down the digests of what the publishers serve now',
    changesHere: true,
    description: `Fetches each chart in the catalog's version and writes its digest to helm/charts.lock.yaml, or to the environment's
chartLock; from then on a deployment installs exactly these archives and no others. It is the one command that believes
what is served, so run it where the repositories can be reached, read the difference, and commit the file. With a
repository the archive is compared with the repository's own index besides. A digest that changes under the same
version is shown in words: somebody has replaced the archive.

Exit code 3: a chart cannot be had; the lock stays as it is.`,
    examples: [
      ['charts lock', 'All charts of the catalog.'],
      ['charts lock --env prod', 'As above, from the mirror of prod, into its own lock where it names one.'],
      ['charts lock vault', 'One, e.g. after its version was changed in src/catalog/charts.ts.'],
    ],
  })
    .argument('[chart...]', 'keys of charts; all of the catalog when none is given')
    .action(async (names: string[], options: ChartsOptions) => {
      finish(await (await import('../../charts/lock.ts')).lockCharts(context, names, options));
    });
  const bundle = jsonCommand('bundle', {
    summary: 'pack charts, digests and the list of images for a machine without network',
    changesHere: true,
    description: `Packs the charts that the environment needs with their lock, and a list of all images that a deployment runs: those
of the publishers' charts, of the bundled ones and of the platform itself. Fetches first what is missing.
The images themselves are not packed: mirror them with the tool of your registry.`,
    examples: [
      ['charts bundle --env prod --out prod-charts.tgz', 'To be carried to the other machine, for charts unbundle.'],
    ],
  })
    .requiredOption('--out <file>', 'the archive to write')
    .action(async (options: BundleOptions) => {
      finish(await (await import('../../charts/bundle.ts')).bundleCharts(context, options));
    });
  const unbundle = jsonCommand('unbundle', {
    summary: 'put the charts of a bundle into the cache of this machine',
    changesHere: true,
    description: `Unpacks a bundle of \`charts bundle\` and keeps those charts whose digest is the one in this machine's own lock: what
the bundle says of itself is not believed. Needs no network.

Exit code 3: the file is no bundle, or a chart in it is not the one that the lock names; the cache stays as it is.`,
    examples: [['charts unbundle prod-charts.tgz --env prod', 'Afterwards prod deploys without a chart repository.']],
  })
    .argument('<file>', 'the archive that charts bundle wrote')
    .action(async (file: string, options: ChartsOptions) => {
      finish(await (await import('../../charts/unbundle.ts')).unbundleCharts(context, file, options));
    });
  const prune = plainCommand('prune', {
    summary: 'remove cached charts that no lock names any more',
    changesHere: true,
    description: `Removes archives from this machine's cache that no lock of any environment in this checkout names, and that were fetched
some time ago: other checkouts share the cache, and what they lack they fetch again. What a lock names is never removed.`,
    examples: [
      ['charts prune', 'What was fetched more than 30 days ago and is named no more.'],
      ['charts prune --days 0', 'All that is named no more.'],
    ],
  })
    .option('--days <number>', 'only what was fetched longer ago than this', parseDays, 30)
    .option('--json', 'one JSON object on standard output')
    .action(async (options: PruneOptions) => {
      finish(await (await import('../../charts/prune.ts')).pruneCharts(context, options));
    });
  const charts = plainCommand('charts', {
    summary: "fetch, verify and carry along the publishers' charts",
    description: `With \`charts: upstream\` in its file an environment installs what its platform has from publishers (Vault, databases, stores)
from their own charts. helm/charts.lock.yaml of the platform pins each by version and digest; a deployment installs nothing else.`,
    examples: [],
  })
    .usage('COMMAND [options]')
    .helpCommand(false);
  for (const command of [list, pull, verify, lock, bundle, unbundle, prune]) charts.addCommand(command);
  return charts;
}

function jsonCommand(...args: Parameters<typeof environmentCommand>): Command {
  return environmentCommand(...args).option('--json', 'one JSON object on standard output');
}
