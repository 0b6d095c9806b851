/** A certificate as a comment of a pull request. Pure. */
import { duration } from '../../duration.ts';
import { type Certificate, problemsOf, runPassed } from './certificate.ts';
import { faultText } from './faults.ts';

/** So many problems are listed: a comment is read, the JSON holds all. */
const MOST_PROBLEMS = 20;

export function certificateMarkdown(certificate: Certificate): string {
  const { environment, passed, plan, undisturbed, runs, seed, standIns, neverShown, from } = certificate;
  const problems = problemsOf(certificate);
  return [
    `### ${passed ? '✅' : '❌'} Rehearsal of ${cell(environment)}: ${passed ? 'every run ended in the same state' : 'not passed'}`,
    '',
    `Plan \`${plan.digest}\` (${plan.services} services, from ${cell(from)}), content \`${plan.content}\`, seed ${seed}.`,
    `Undisturbed: ${cell(undisturbed.outcome)} in ${duration(undisturbed.seconds)}; ${undisturbed.objects} objects, ${undisturbed.releases} releases, ${undisturbed.vault} parts of Vault.`,
    ...(problems.length === 0
      ? []
      : [
          '',
          ...problems.slice(0, MOST_PROBLEMS).map((problem) => `- ${cell(problem)}`),
          ...(problems.length > MOST_PROBLEMS ? [`- and ${problems.length - MOST_PROBLEMS} more`] : []),
        ]),
    ...(runs.length === 0
      ? []
      : [
          '',
          '| Run | Fault | How it ended | State |',
          '|---|---|---|---|',
          ...runs.flatMap((run) => {
            const state = runPassed(run) ? 'the same' : `**${run.differences.length} differences**`;
            const rows = run.faults.map(({ fault, ended }) => [faultText(fault), ended]);
            return (rows.length === 0 ? [['none', '']] : rows).map(
              ([fault = '', ended = '']) => `| ${run.run} | ${cell(fault)} | ${cell(ended)} | ${state} |`,
            );
          }),
        ]),
    '',
    '<details><summary>What this does not show</summary>',
    '',
    ...standIns.map(({ field, rehearsed, unseen }) => `- \`${field}\` was ${cell(rehearsed)}: ${cell(unseen)}`),
    ...neverShown.map((line) => `- ${cell(line)}`),
    '',
    '</details>',
    '',
  ].join('\n');
}

/** Within one line of a table. */
function cell(value: string): string {
  return value.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
