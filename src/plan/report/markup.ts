/** Small parts of the report's HTML. Pure. */

/** The class of a state. */
export function toneOf(state: string): string {
  if (state === 'failed' || state === 'cancelled') return 'bad';
  return state === 'skipped'
    ? 'dim'
    : ['waiting', 'applying', 'starting', 'removing', 'running'].includes(state)
      ? 'busy'
      : 'good';
}

export function time(milliseconds: number): string {
  const iso = new Date(milliseconds).toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

/** Escaped, for an element or an attribute. */
export function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Where the file lies in which a failure was written down. */
export function evidenceText(evidence: string): string {
  return `Evidence, on the worker’s machine: <code>${text(evidence)}</code>`;
}

/**
 * @param id of the heading that names it
 * @param rows HTML of each
 */
export function table(id: string, heads: readonly string[], rows: readonly string[], caption?: string): string {
  return `<div class="scroll" tabindex="0" role="region" aria-labelledby="${id}"><table>
${caption === undefined ? '' : `<caption>${caption}</caption>\n`}<thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}

/** @param cells HTML of each; the first is the row's heading */
export function headedRow([first = '', ...cells]: readonly string[]): string {
  return `<tr><th scope="row">${first}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}
