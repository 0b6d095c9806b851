import { type Command, Option } from 'commander';
import { collectImage, parseDuration } from '../../shared/arguments.ts';
import { environmentCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import { OVERRIDE_FREEZE, parseReason } from '../../shared/reason.ts';
import { addSelectionOptions } from '../../shared/selection-options.ts';
import { type DeployOptions, FOLLOW_HELP, IF_RUNNING } from '../../deploy/options.ts';

export function deployCommand(context: CliContext): Command {
  const command = environmentCommand('deploy', {
    summary: 'deploy all services, or what is missing of them',
    description: `Deploys the whole platform to an environment: installs what is missing, changes what differs,
waits until every service is healthy. What is already as wanted is left alone.

The deployment is a workflow: Ctrl-C, a lost terminal or a dead machine do not end it. Run
"attach" to watch it again, or "deploy" once more: it finds the one that is running.`,
    examples: [
      ['deploy', 'Everything to the sandbox on this machine. "npm run deploy" is the same.'],
      [
        'deploy --env staging --image api=1.4.2 --timeout 30m',
        'Staging, one service at another tag, given up in good order after half an hour.',
      ],
      ['deploy --only auth --with-dependencies', 'One service and what it needs; the others are left as they are.'],
      [
        'deploy --env staging --image api=2.0.1 --if-running queue',
        'After what is running now; a newer request takes its place.',
      ],
      [
        'deploy --env staging --if-running refuse --json',
        'For CI: one JSON object a line, and an error where another deployment runs.',
      ],
    ],
  });
  return addSelectionOptions(command)
    .option('--follow <service>', FOLLOW_HELP)
    .option('--detach', 'start the deployment and leave it running (exit code 4)')
    .option('--timeout <duration>', 'end the deployment in good order after this time: 90s, 15m, 1h30m', parseDuration)
    .option(
      '--image <service=tag>',
      'deploy this service with another image tag, or with exactly one image by its digest (sha256:…); may be repeated',
      collectImage,
    )
    .option(
      '--plan <file>',
      'carry out exactly this plan, made by plan --out; refused when cluster, catalog or values have changed since',
    )
    .option('--confirm <name>', 'the name of a protected environment, where nobody can be asked')
    .option(...OVERRIDE_FREEZE, parseReason)
    .addOption(
      new Option(
        '--if-running <how>',
        'when an operation on the environment is running already: watch it where it deploys the same, else wait; give up; wait for its end (the newest request wins); or end it at a safe point and deploy then',
      )
        .choices(IF_RUNNING)
        .default('attach'),
    )
    .option('--json', 'one event a line on standard output, the result last (use npm run --silent)')
    .action(async (options: DeployOptions) => {
      const { inSession } = await import('../../deploy/in-session.ts');
      const { checkedRequest } = await import('../../deploy/request.ts');
      const exitCode = await inSession(context, 'deploy', options, async (session, prepared) => {
        const { inSpan } = await import('../../../process/spans.ts');
        const request = await inSpan('check what is asked for', {}, () => checkedRequest(session, prepared, options));
        // Loaded late: the clients take a second, and a wrong option should be refused at once.
        const { deploy } = await inSpan('load clients', {}, () => import('../../deploy/deployment.ts'));
        return deploy(session, prepared, request);
      });
      context.finish(exitCode);
    });
}
