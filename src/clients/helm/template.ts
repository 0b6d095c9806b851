/** Rendering without a cluster: whether a chart and its values fit together at all. */
import { execa } from 'execa';
import { helmEnvironment } from './arguments.ts';

/** A Helm that was built from source assumes 1.20, which some charts refuse. */
const KUBERNETES_VERSION = 'v1.35.0';
const TIMEOUT_MILLISECONDS = 60_000;

export interface TemplateRequest {
  release: string;
  namespace: string;
  chartPath: string;
  /** YAML; holds references to secrets at most. */
  values: string;
}

/** @returns what Helm says against it, undefined when it renders. @throws Error when Helm itself cannot be started */
export async function templateError(binary: string, home: string, env: Readonly<Record<string, string>>, request: TemplateRequest): Promise<string | undefined> {
  const { release, namespace, chartPath, values } = request;
  const result = await execa(binary, ['template', release, chartPath, '--namespace', namespace, '--kube-version', KUBERNETES_VERSION, '--values', '-'], {
    env: helmEnvironment(env, home), extendEnv: false, input: values, reject: false, timeout: TIMEOUT_MILLISECONDS, stdout: 'ignore', maxBuffer: 1024 * 1024,
  });
  if (result.exitCode === 0) return undefined;
  if (result.exitCode === undefined) throw new Error(`${binary} template: ${result.originalMessage ?? 'could not be started'}`);
  const lines = result.stderr.split('\n');
  return lines.slice(Math.max(0, lines.findIndex((line) => line.startsWith('Error:')))).join('\n').trim();
}
