/** A line of a container as people read it. Pure. */
import type { LogLine } from '../../plan/explain/log-line.ts';

const WHERE_NAMES_END = 60;

/** `pod/container`, the end of it where it is long, and the text, which cannot move the cursor; its colours stay. */
export function namedLine({ pod, container, text }: LogLine): { name: string; text: string } {
  return { name: `${pod}/${container}`.slice(-WHERE_NAMES_END), text: withoutControls(text) };
}

/** A log of others must not move the cursor; its colours stay. */
function withoutControls(text: string): string {
  return text.replace(/\u001b(?!\[[0-9;]*m)[^a-zA-Z]*[a-zA-Z]?|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f]/g, '');
}
