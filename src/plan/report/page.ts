/** The frame of every report: one file that asks for nothing outside of itself. Pure. */
import { text } from './markup.ts';
import { STYLES } from './styles.ts';

export interface Page {
  title: string;
  /** HTML, as all that follows is. */
  heading: string;
  header: string;
  main: readonly string[];
  /** Where the keyboard jumps to past the header: the id of a section in `main`, and its name in a sentence. */
  skipTo: { id: string; name: string };
}

/** Of reports of what has run. */
export const TIMELINE: Page['skipTo'] = { id: 'timeline', name: 'timeline' };

export function page({ title, heading, header, main, skipTo }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(title)}</title>
<style>${STYLES}</style>
</head>
<body>
<a class="skip" href="#${skipTo.id}">To the ${skipTo.name}</a>
<header>
<h1>${heading}</h1>
${header}
</header>
<main>
${main.join('\n')}
</main>
</body>
</html>
`;
}
