/** A report as one HTML file that asks for nothing outside of itself. Pure. */
import { duration } from '../../duration.ts';
import type { FieldChange } from '../diff/types.ts';
import type { ReleaseDiff } from '../versions/diff.ts';
import { type OperationReport, type ReportedService, secondsIn } from './report.ts';
import { evidenceText, headedRow, table, text, time, toneOf } from './markup.ts';
import { page, TIMELINE } from './page.ts';
import { actTable, checkTable } from './tables.ts';
import { STATES, timeline } from './timeline.ts';

const OUTCOMES: Record<OperationReport['outcome'], [string, string]> = {
  succeeded: ['good', 'succeeded'],
  unchanged: ['good', 'nothing to do'],
  failed: ['bad', 'failed'],
  cancelled: ['bad', 'cancelled'],
  running: ['busy', 'still running'],
  terminated: ['bad', 'terminated'],
};
const BAD_STATES = ['failed', 'skipped', 'cancelled'];

export function renderReport(report: OperationReport): string {
  const { environment, operation } = report;
  const [tone, outcome] = OUTCOMES[report.outcome];
  const main = [
    failures(report),
    timeline(report),
    actTable(report),
    checkTable(report),
    services(report),
    retries(report),
    changes(report),
    contents(report),
  ];
  return page({
    skipTo: TIMELINE,
    title: `${environment}: ${operation} ${outcome}`,
    heading: `${text(environment)}: ${text(operation)} <span class="${tone}">${text(outcome)}</span>`,
    header: facts(report),
    main,
  });
}

function facts(report: OperationReport): string {
  const seconds = (report.endedAt - report.startedAt) / 1000;
  const changed = report.services.filter((service) => service.changed).length;
  const rows: [string, string][] = [
    ['Asked for by', text(report.requestedBy)],
    ['Began', time(report.startedAt)],
    [
      report.outcome === 'running' ? 'Until now' : 'Took',
      `${duration(seconds)}${report.criticalPathSeconds > 0 ? ` <span class="dim">(the longest path of start-up times: ${duration(report.criticalPathSeconds)})</span>` : ''}`,
    ],
    ['Services', `${report.services.length}, ${changed} changed`],
    ...(report.version ? [['Version', String(report.version.version)] as [string, string]] : []),
    ['Plan', text(report.planDigest)],
    ['Workflow', `${text(report.workflowId)}, run ${text(report.runId)}`],
    ...(report.criticalPath.length > 0
      ? [
          [
            'Longest path',
            report.criticalPath.map((name) => `<span class="critical">${text(name)}</span>`).join(' → '),
          ] as [string, string],
        ]
      : []),
  ];
  return `<dl class="facts">${rows.map(([term, value]) => `<dt>${term}</dt><dd>${value}</dd>`).join('')}</dl>`;
}

function failures({ failure, services: all }: OperationReport): string {
  const failed = all.filter((service) => service.state === 'failed');
  if (!failure && failed.length === 0) return '';
  const skipped = all.filter(({ state }) => state === 'skipped').length;
  return `<section aria-labelledby="failures"><h2 id="failures">What failed</h2>
${failure ? `<p class="bad">${text(failure.message)}</p>` : ''}
${failed.map((service) => `<h3><a href="#service-${text(service.name)}">${text(service.name)}</a></h3>${failureBlock(service)}`).join('\n')}
${skipped > 0 ? `<p>${skipped} services were not started, because something they depend on failed, or nothing further was to start.</p>` : ''}
</section>`;
}

function failureBlock({ failure }: ReportedService): string {
  if (!failure) return '';
  return `<p class="bad">${text(failure.message)}</p>
${failure.summary && failure.summary.length > 0 ? `<pre tabindex="0">${text(failure.summary.join('\n'))}</pre>` : ''}
${failure.evidence === undefined ? '' : `<p>${evidenceText(failure.evidence)}</p>`}`;
}

function services(report: OperationReport): string {
  const shown = report.services.filter(
    ({ segments, failure, notes, state }) =>
      segments.length > 0 || failure !== undefined || notes.length > 0 || BAD_STATES.includes(state),
  );
  const rest = report.services.length - shown.length;
  return `<section aria-labelledby="services"><h2 id="services">Services</h2>
${shown.map((service) => serviceBlock(service)).join('\n')}
${rest > 0 ? `<p class="dim">${rest} services were as wanted, or not selected.</p>` : ''}
</section>`;
}

function serviceBlock(service: ReportedService): string {
  const sums = secondsIn(service);
  const { name, state, action, reason, waitedFor, segments, notes } = service;
  const details = segments.flatMap((segment) => segment.details);
  return `<details id="service-${text(name)}"${state === 'failed' ? ' open' : ''}>
<summary><strong>${text(name)}</strong> <span class="${toneOf(state)}">${text(state)}</span> <span class="dim">${text(action)}${reason === '' ? '' : `: ${text(reason)}`}</span></summary>
<dl class="facts">${STATES.flatMap(([key, words]) =>
    sums[key] === undefined
      ? []
      : [
          `<dt>${words}</dt><dd>${duration(sums[key])}${key === 'waiting' && waitedFor !== undefined ? `, last for ${text(waitedFor)}` : ''}</dd>`,
        ],
  ).join('')}</dl>
${failureBlock(service)}
${details.length > 0 ? `<ul>${details.map((detail) => `<li>${text(detail)}</li>`).join('')}</ul>` : ''}
${notes.length > 0 ? `<ul>${notes.map((note) => `<li>${text(note)}</li>`).join('')}</ul>` : ''}
</details>`;
}

function retries({ retries: all, startedAt }: OperationReport): string {
  if (all.length === 0) return '';
  const rows = all.map(
    ({ at, what, attempt, message }) =>
      `<tr><td>${duration((at - startedAt) / 1000)}</td><td>${text(what)}</td><td>${attempt}</td><td>${text(message)}</td></tr>`,
  );
  const caption = `${all.length} attempts that followed a failed one`;
  return `<section aria-labelledby="retries"><h2 id="retries">What was tried again</h2>${table('retries', ['After', 'What', 'Attempt', 'Why'], rows, caption)}</section>`;
}

function changes({ changes: found }: OperationReport): string {
  if (!found) return '';
  return `<section aria-labelledby="changes"><h2 id="changes">What changed since version ${found.since}</h2>
${found.releases.length === 0 ? '<p>Nothing: both have the same content.</p>' : found.releases.map(releaseBlock).join('\n')}
</section>`;
}

function releaseBlock({ release, namespace, kind, what, objects, note }: ReleaseDiff): string {
  return `<details><summary><strong>${text(release)}</strong> <span class="dim">${text(namespace)}, ${kind}${what === '' ? '' : `: ${text(what)}`}</span></summary>
${objects.map(({ kind: of, name, change, fields }) => `<p>${text(of)} ${text(name)}: ${change}</p>${fields.length === 0 ? '' : fieldTable(fields, `${of} ${name}`)}`).join('\n')}
${note === undefined ? '' : `<p>${text(note)}</p>`}
</details>`;
}

function fieldTable(fields: readonly FieldChange[], of: string): string {
  const value = (one: string | undefined): string =>
    one === undefined ? '<span class="dim">nothing</span>' : text(one);
  return `<div class="scroll" tabindex="0" role="region" aria-label="${text(`Fields of ${of}`)}"><table><thead><tr><th scope="col">Field</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
<tbody>${fields.map(({ path, from, to }) => `<tr><td>${text(path)}</td><td>${value(from)}</td><td>${value(to)}</td></tr>`).join('\n')}</tbody></table></div>`;
}

function contents({ version }: OperationReport): string {
  if (!version) return '';
  const rows = version.releases.map(({ name, namespace, revision, chart, images }) =>
    headedRow([
      text(`${namespace}/${name}`),
      String(revision),
      text(`${chart.name} ${chart.version}`),
      images.map(({ image, digest }) => text(digest === undefined ? image : `${image} (${digest})`)).join('<br>'),
    ]),
  );
  return `<section aria-labelledby="contents"><h2 id="contents">Version ${version.version}</h2>
<details><summary>${version.releases.length} releases: charts and images</summary>${table('contents', ['Release', 'Revision', 'Chart', 'Images'], rows, 'What was left in the cluster')}</details></section>`;
}
