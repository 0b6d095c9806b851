/**
 * Switches off two things that the SDK does for each call into a workflow and for each promise, and that no test needs:
 * a timer thread that would end the call after 49 days, and a stack trace for the query `__stack_trace`. Workflows run
 * in the thread of the tests here, so the trace would also be made for the promises of the tests and their clients.
 * Both together are a third of the processor time of the workflow tests. Called once in a process, before its first
 * worker.
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
