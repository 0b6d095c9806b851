/** Rendering without a cluster: what a chart and its values make, or why they do not fit together. */
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';
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
  /** That it is rendered for; absent: the one of the embedded cluster. */
  kubernetes?: string;
}

/** Chart and values do not fit together; a person has to correct one of them. */
export class ChartRenderError extends AnantaError {
  override name = 'ChartRenderError';
  override readonly type = FAILURES.chartInvalid;
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[] = [
    'Correct the chart, or helm/values/<release>.yaml, then run the same command again.',
  ];
}

/** In one line; Helm's own words name the release already. */
export function renderErrorText({ message }: ChartRenderError): string {
  return message.replace(/\s*\n\s*/g, ' ').trim();
}

/**
 * The objects that Helm would apply, as YAML: hooks apart, definitions of the `crds` folder included.
 * @throws ChartRenderError with what Helm says against it
 */
export async function renderedManifest(
  binary: string,
  home: string,
  env: Readonly<Record<string, string>>,
  request: TemplateRequest,
): Promise<string> {
  const result = await template(binary, home, env, request, ['--include-crds', '--no-hooks']);
  if ('error' in result)
    throw new ChartRenderError(`${request.release} (chart ${request.chartPath}) does not render: ${result.error}`);
  return result.text;
}

/** @returns the objects as YAML, or what Helm says against it. @throws Error when Helm itself cannot be started */
export async function template(
  binary: string,
  home: string,
  env: Readonly<Record<string, string>>,
  request: TemplateRequest,
  flags: readonly string[] = [],
): Promise<{ text: string } | { error: string }> {
  const { release, namespace, chartPath, values, kubernetes = KUBERNETES_VERSION } = request;
  const result = await execa(
    binary,
    ['template', release, chartPath, '--namespace', namespace, '--kube-version', kubernetes, ...flags, '--values', '-'],
    {
      env: helmEnvironment(env, home),
      extendEnv: false,
      input: values,
      reject: false,
      timeout: TIMEOUT_MILLISECONDS,
      maxBuffer: 32 * 1024 * 1024,
      stripFinalNewline: false,
    },
  );
  if (result.exitCode === 0) return { text: result.stdout };
  if (result.exitCode === undefined)
    throw new Error(`${binary} template: ${result.originalMessage ?? 'could not be started'}`);
  const lines = result.stderr.split('\n');
  return {
    error: lines
      .slice(
        Math.max(
          0,
          lines.findIndex((line) => line.startsWith('Error:')),
        ),
      )
      .join('\n')
      .trim(),
  };
}
