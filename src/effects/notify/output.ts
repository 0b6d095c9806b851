import { withoutLinks } from './answer-links.ts';

const LINES = 20;
const CHARACTERS = 4000;

/** Of what a program or a server said, what is worth keeping. */
export function outputTail(text: string): string {
  return withoutLinks(text).trimEnd().split('\n').slice(-LINES).join('\n').slice(-CHARACTERS);
}
