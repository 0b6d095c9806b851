/** A certificate as one HTML file that asks for nothing outside of itself. Pure. */
import { duration } from '../../duration.ts';
import { headedRow, table, text } from '../report/markup.ts';
import { page } from '../report/page.ts';
import { type Certificate, problemsOf, type RehearsedRun, runPassed } from './certificate.ts';
import { differenceText } from './compare.ts';
import { faultText } from './faults.ts';

export function renderCertificate(certificate: Certificate): string {
  const { environment, passed } = certificate;
  const outcome = passed ? 'every run ended in the same state' : 'not passed';
  const runs =
    certificate.runs.length === 0
      ? '<p>No disturbed run was asked for.</p>'
      : certificate.runs.map(runBlock).join('\n');
  return page({
    skipTo: { id: 'runs', name: 'runs' },
    title: `${environment}: rehearsal, ${outcome}`,
    heading: `${text(environment)}: rehearsal <span class="${passed ? 'good' : 'bad'}">${text(outcome)}</span>`,
    header: facts(certificate),
    main: [
      problems(certificate),
      section('runs', 'Runs', runs),
      section('stand-ins', 'What was another than in the environment’s file', standIns(certificate)),
      section('never', 'What no rehearsal shows', list(certificate.neverShown)),
      section('rules', 'What may differ between two runs; nothing else was left out', rules(certificate)),
      section('versions', 'Versions', versions(certificate)),
    ],
  });
}

function facts(certificate: Certificate): string {
  const { plan, undisturbed, at, requestedBy, seed, from, operations, platform, runs } = certificate;
  const rows: [string, string][] = [
    ['Plan', `${text(plan.digest)}, ${plan.services} services of ${text(platform)}`],
    ['Content', text(plan.content)],
    ['Began with', text(from)],
    ['Each run', text(operations.join(', then '))],
    ['When, for whom', `${text(at)}, ${text(requestedBy)}`],
    [
      'Undisturbed run',
      `${text(undisturbed.outcome)} in ${duration(undisturbed.seconds)}: ${undisturbed.objects} objects, ${undisturbed.releases} releases, ${undisturbed.vault} parts of Vault; state ${text(undisturbed.state)}`,
    ],
    ['Disturbed runs', `${runs.length}, seed ${seed}`],
  ];
  return `<dl class="facts">${rows.map(([term, value]) => `<dt>${term}</dt><dd>${value}</dd>`).join('')}</dl>`;
}

function problems(certificate: Certificate): string {
  const all = problemsOf(certificate);
  return all.length === 0 ? '' : section('problems', 'What stands against it', list(all));
}

function runBlock(run: RehearsedRun): string {
  const id = `run-${run.run}`;
  const passed = runPassed(run);
  const rows = run.faults.map(({ fault, ended, hit }) =>
    headedRow([text(faultText(fault)), hit === undefined ? '–' : text(hit.at), text(ended)]),
  );
  return `<section aria-labelledby="${id}"><h3 id="${id}">Run ${run.run}: <span class="${passed ? 'good' : 'bad'}">${text(endText(run))}</span></h3>
<p>${text(run.outcome)} in ${duration(run.seconds)}, ${run.retries} steps were tried again, ${run.differences.length} differences.</p>
${run.failure === undefined ? '' : `<p class="bad">${text(run.failure)}</p>`}
${rows.length === 0 ? '' : table(id, ['Fault', 'Hit at', 'How it ended'], rows)}
${run.differences.length === 0 ? '' : list(run.differences.map((difference) => differenceText(difference)))}
</section>`;
}

function endText(run: RehearsedRun): string {
  if (runPassed(run)) return 'the same state';
  return run.differences.length > 0 ? `${run.outcome}, in another state` : run.outcome;
}

function standIns({ standIns: all, plan }: Certificate): string {
  if (all.length === 0) return '<p>Nothing.</p>';
  const rows = all.map(({ field, rehearsed, unseen }) => headedRow([text(field), text(rehearsed), text(unseen)]));
  const made =
    plan.otherwise.length === 0
      ? 'Every release was made from what the environment says.'
      : `Made from something else for it: ${plan.otherwise.join(', ')}.`;
  return `${table('stand-ins', ['Field', 'In the rehearsal', 'So nothing is said of'], rows)}<p>${text(made)}</p>`;
}

function rules({ mayDiffer }: Certificate): string {
  return table(
    'rules',
    ['What', 'Why'],
    mayDiffer.map(({ what, why }) => headedRow([text(what), text(why)])),
  );
}

function versions(certificate: Certificate): string {
  return table(
    'versions',
    ['Part', 'Version'],
    Object.entries(certificate.versions).map(([name, version]) => headedRow([text(name), text(version)])),
  );
}

function section(id: string, title: string, body: string): string {
  return `<section aria-labelledby="${id}"><h2 id="${id}">${text(title)}</h2>\n${body}\n</section>`;
}

function list(lines: readonly string[]): string {
  return `<ul>${lines.map((line) => `<li>${text(line)}</li>`).join('\n')}</ul>`;
}
