/**
 * Takes from the SDK what it does for each call into a workflow and each promise, and no test looks at: a thread that
 * would end the call after 49 days, and a stack trace for the query `__stack_trace`. With workflows in the thread of
 * the tests the trace is made for the promises of the tests and their clients, too; both together are a third of what
 * the tests of workflows cost, and most of their time on a busy machine. Once in a process, before its first worker.
 */
import v8 from 'node:v8';
import vm, { type RunningScriptInNewContextOptions } from 'node:vm';

export function leanWorkflows(): void {
  v8.promiseHooks.createHook = () => () => undefined;
  const run = vm.Script.prototype.runInContext;
  vm.Script.prototype.runInContext = function (
    context,
    { timeout: _, ...options }: RunningScriptInNewContextOptions = {},
  ) {
    return run.call(this, context, options) as unknown;
  };
}
