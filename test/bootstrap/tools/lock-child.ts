// Started by the tests as a process of its own: takes the lock named first and does what the second argument says.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../../../bootstrap/process/lock.ts';

const [path, action, log] = process.argv.slice(2) as [string, 'hold' | 'count', string];

if (action === 'hold') {
  await withLock(path, {}, async () => {
    console.log('held');
    await sleep(60_000);
  });
} else {
  for (let round = 0; round < 10; round += 1) {
    await withLock(path, {}, async () => {
      appendFileSync(log, `in ${process.pid}\n`);
      await sleep(1);
      appendFileSync(log, `out ${process.pid}\n`);
    });
  }
}
