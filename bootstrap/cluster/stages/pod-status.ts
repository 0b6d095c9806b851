/**
 * Pieces of a pod's status, as Go templates that KWOK fills in. Each begins with a line break and is indented to stand
 * below `status:`.
 */

/** State of a container, indented to fit `containers`. `null` clears what a merge would keep. */
export const RUNNING = `
      running:
        startedAt: {{ Now | Quote }}
      waiting: null
      terminated: null`;

export function terminated(exitCode: number, reason: string): string {
  return `
      terminated:
        exitCode: ${exitCode}
        reason: ${reason}
        startedAt: {{ Now | Quote }}
        finishedAt: {{ Now | Quote }}
      running: null
      waiting: null`;
}

/** @param status of Ready; @param reason '' for none */
export function conditions(status: string, reason: string): string {
  const both = ['Ready', 'ContainersReady']
    .map(
      (type) => `
  - {type: ${type}, status: "${status}", reason: "${reason}", lastTransitionTime: {{ Now | Quote }}}`,
    )
    .join('');
  return `
  conditions:
  - {type: PodReadyToStartContainers, status: "True", lastTransitionTime: {{ Now | Quote }}}
  - {type: Initialized, status: "True", lastTransitionTime: {{ Now | Quote }}}${both}
  {{ range .spec.readinessGates }}
  - {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ Now | Quote }}}
  {{ end }}`;
}

/** @param state indented YAML below `state:`; @param extra further fields of the status, indented by four */
export function containers(ready: string, state: string, restarts = 0, extra = ''): string {
  return `
  containerStatuses:
  {{ range .spec.containers }}
  - name: {{ .name | Quote }}
    image: {{ .image | Quote }}
    imageID: {{ .image | Quote }}
    ready: ${ready}
    started: ${ready}
    restartCount: ${restarts}${extra}
    state:${state}
  {{ end }}`;
}

/** All done, or running beside the others where they are sidecars. */
export function initContainers(): string {
  return `
  {{ if .spec.initContainers }}
  initContainerStatuses:
  {{ range .spec.initContainers }}
  - name: {{ .name | Quote }}
    image: {{ .image | Quote }}
    imageID: {{ .image | Quote }}
    ready: true
    restartCount: 0
    {{ if eq (or .restartPolicy "") "Always" }}
    started: true
    state:
      running:
        startedAt: {{ Now | Quote }}
    {{ else }}
    started: false
    state:
      terminated: {exitCode: 0, reason: Completed, startedAt: {{ Now | Quote }}, finishedAt: {{ Now | Quote }}}
    {{ end }}
  {{ end }}
  {{ end }}`;
}

export function addresses(): string {
  return `
  hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
  {{ if not .status.podIP }}
  podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
  {{ end }}`;
}
