import type { Command } from 'commander';
import type { ExportOptions, RehearseOptions } from '../../rehearse/options.ts';
import { collectImage, parseCount, parseVersion } from '../../shared/arguments.ts';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';

export function rehearseCommand(context: CliContext): Command {
  const command = environmentCommand('rehearse', {
    summary: "the environment's deployment on a throwaway cluster, hit by faults",
    description: `Carries out the environment's own deployment (its platform, charts, values, images' names, replicas and policy) on a
throwaway cluster of this machine with simulated pods: once undisturbed, then as often as --runs says with parts of the stack
killed or stopped, ways cut and answers of the API server replaced, at moments that the seed decides. Passed
when every run has ended in the same state: objects, releases, Vault, receipts. Writes a certificate as JSON and
as a page. Nothing of the environment's own cluster, engine or secrets is asked or touched (with --from live or
a version its cluster is read); what is put up is put down again, also after Ctrl-C.`,
    examples: [
      ['rehearse --env staging', 'One undisturbed run, and one with three faults.'],
      ['rehearse --env staging --runs 5 --faults 4 --seed 42', 'The same faults each time that 42 is said.'],
      [
        'rehearse --env staging --from origin/main',
        'The upgrade from what origin/main deploys to what this checkout does.',
      ],
      ['rehearse --env prod --from live', 'From what runs in prod to what this checkout deploys.'],
      ['rehearse --env prod --markdown > comment.md', 'For a pull request.'],
    ],
  });
  return command
    .option(
      '--from <where>',
      'what every run begins with: empty, live, the number of a version that is kept, a file that "export" wrote, or what a commit (branch, tag) of this checkout or the checkout in a folder deploys',
      'empty',
    )
    .option('--runs <count>', 'disturbed runs', parseCount('--runs', 0, 100), 1)
    .option('--faults <count>', 'faults in each of them', parseCount('--faults', 0, 20), 3)
    .option('--seed <number>', 'decides which faults, and when', parseCount('--seed', 0, 999_999_999), 1)
    .option('--rollback', 'each run deploys, rolls back to what it began with, and deploys again; with --from a commit')
    .option('--image <service=tag>', 'as with deploy; may be repeated', collectImage)
    .option('-o, --out <file>', 'certificate: FILE.json and FILE.html; default: rehearsal-<environment> in this folder')
    .option('--markdown', 'the certificate as Markdown on standard output')
    .option('--json', 'the certificate as one JSON object on standard output')
    .action(async (options: RehearseOptions) => {
      const { runRehearse } = await import('../../rehearse/run.ts');
      context.finish(await runRehearse(context, options));
    });
}

export function exportCommand(context: CliContext): Command {
  return environmentCommand('export', {
    summary: 'what is deployed, without secrets, as a file from which a rehearsal can begin',
    description: `Writes what Helm recorded of each of the environment's releases, of a version that is kept or of what runs now, with
definitions, quotas and limits of the cluster that decide what can be applied: values of Secrets are placeholders. "rehearse --from
FILE" begins with it where nobody reaches the cluster, such as in a pipeline. Only reads.`,
    examples: [
      ['export --env prod --out prod.json', 'What runs now.'],
      ['export 12 --env prod --out prod-12.json', 'Version 12, as "history" lists it.'],
    ],
  })
    .argument('[version]', 'a version that "history" lists; default: what runs now', parseVersion)
    .requiredOption('-o, --out <file>', 'where it is written; - for standard output')
    .action(async (version: number | undefined, options: ExportOptions) => {
      const { runExport } = await import('../../rehearse/export.ts');
      context.finish(await runExport(context, version, options));
    });
}
