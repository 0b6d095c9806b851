/** Rendering without a cluster: what a chart and its values make, or why they do not fit together. */
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
  const rendered = await template(binary, home, env, request);
  return 'error' in rendered ? rendered.error : undefined;
}

/** @returns the objects as YAML, or what Helm says against it. @throws Error when Helm itself cannot be started */
export async function template(binary: string, home: string, env: Readonly<Record<string, string>>, { release, namespace, chartPath, values }: TemplateRequest): Promise<{ text: string } | { error: string }> {
  const result = await execa(binary, ['template', release, chartPath, '--namespace', namespace, '--kube-version', KUBERNETES_VERSION, '--values', '-'], {
    env: helmEnvironment(env, home), extendEnv: false, input: values, reject: false, timeout: TIMEOUT_MILLISECONDS, maxBuffer: 32 * 1024 * 1024,
  });
  if (result.exitCode === 0) return { text: result.stdout };
  if (result.exitCode === undefined) throw new Error(`${binary} template: ${result.originalMessage ?? 'could not be started'}`);
  const lines = result.stderr.split('\n');
  return { error: lines.slice(Math.max(0, lines.findIndex((line) => line.startsWith('Error:')))).join('\n').trim() };
}
