/**
 * Ends a test file that hangs, with what it still waits for: the test runner's own limit ends its tests, but waits for
 * ever for a process that something keeps alive. Imported before the file, with the limit in its address:
 * `file-limit.ts?seconds=720`.
 */
const seconds = Number(new URL(import.meta.url).searchParams.get('seconds'));
setTimeout(() => {
  console.error(
    `${process.argv[1] ?? 'a test file'} did not end within ${seconds} s; it still has: ${process.getActiveResourcesInfo().join(', ')}`,
  );
  process.exit(1);
}, seconds * 1000).unref();
