/** Pages for whoever opens a link of a notification. Nothing is loaded from anywhere, and everything is escaped. */

export interface Form {
  /** Proves that the form is of this page. */
  proof: string;
  button: string;
}

export interface Page {
  title: string;
  /** Paragraphs. */
  lines: readonly string[];
  /** Shown as commands to copy. */
  commands?: readonly string[];
  form?: Form;
}

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.3rem}pre{padding:.8rem;overflow-x:auto;border:1px solid;border-radius:.3rem}label{display:block;margin:1rem 0 .3rem}
input[type=text]{width:100%;box-sizing:border-box;padding:.5rem;font:inherit}button{margin-top:1rem;padding:.6rem 1.2rem;font:inherit;font-weight:bold}`;

/** Only this style, and forms back to this page. */
export function securityHeaders(styleHash: string): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'x-robots-tag': 'noindex, nofollow',
  };
}

export { STYLE };

export const LONGEST_REASON = 300;

export function pageHtml({ title, lines, commands = [], form }: Page): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head><body><main>
<h1>${escaped(title)}</h1>
${lines.map((line) => `<p>${escaped(line)}</p>`).join('\n')}
${commands.length === 0 ? '' : `<pre>${commands.map(escaped).join('\n')}</pre>`}
${form === undefined ? '' : formHtml(form)}
</main></body></html>
`;
}

function formHtml({ proof, button }: Form): string {
  return `<form method="post"><input type="hidden" name="proof" value="${escaped(proof)}">
<label for="reason">Why? It stands on record, with the time and to whom this link was sent.</label>
<input type="text" id="reason" name="reason" maxlength="${LONGEST_REASON}" autocomplete="off">
<button type="submit">${escaped(button)}</button></form>`;
}

function escaped(text: string): string {
  const marks: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replaceAll(/[&<>"']/g, (mark) => marks[mark] ?? mark);
}
