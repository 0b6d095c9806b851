// Started by the tests as a process of its own: gets the fake Helm and prints each event, then the tool, as JSON lines.
import { acquire, toolWith } from './support.ts';

const [folder, url, path] = process.argv.slice(2) as [string, string, string];

const tools = await acquire(
  folder,
  [toolWith({ url })],
  { env: { PATH: path }, onProgress: (event) => console.log(JSON.stringify(event)) },
  { timeouts: { connect: 5_000, answer: 60_000, silence: 60_000, pause: 10 } },
);
console.log(JSON.stringify(await tools.get('helm')));
