/**
 * Imported before each test file, into its process, with what it has to know in its address:
 * `test-process.ts?seconds=720&count=/sys/fs/cgroup/…/cgroup.procs`.
 */
import hooks from 'node:async_hooks';
import { writeFileSync } from 'node:fs';

const parameters = new URL(import.meta.url).searchParams;

// What this process takes of the processors is counted there, with all that it starts.
const count = parameters.get('count');
if (count !== null) writeFileSync(count, String(process.pid));

// The test runner follows each asynchronous resource, to know to which test an error belongs that no code has caught.
// Promises are left out here: following them makes each `await` many times as expensive, a sixth of what a sandbox test
// computes, and timers, sockets and processes suffice to find the test. That it forgets a resource once it is gone is
// left out as well: it is as expensive, and saves one number for each resource. Hooks of others that ask for these
// events are not affected.
const { createHook } = hooks;
hooks.createHook = (callbacks) => {
  if (callbacks.before !== undefined) return createHook(callbacks);
  const { destroy: _, ...others } = callbacks;
  return createHook({ ...others, trackPromises: false });
};

// One that hangs is ended, with what it still waits for: the test runner's own limit ends its tests, but waits for ever
// for a process that something keeps alive.
const seconds = Number(parameters.get('seconds'));
setTimeout(() => {
  console.error(
    `${process.argv[1] ?? 'a test file'} did not end within ${seconds} s; it still has: ${process.getActiveResourcesInfo().join(', ')}`,
  );
  process.exit(1);
}, seconds * 1000).unref();
