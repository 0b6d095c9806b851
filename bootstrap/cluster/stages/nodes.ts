/** Simulated nodes: ready at once, with a heartbeat now and then. */
import { LOOPBACK } from '../../process/ports.ts';
import type { ApiObject } from '../api.ts';
import { READY, stage } from './stage.ts';

/** What a node's status says about how to reach its kubelet. */
export function kubeletEndpoint(port: number): Record<string, unknown> {
  return {
    addresses: [{ type: 'InternalIP', address: LOOPBACK }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
}

export function nodeStages(kubeletPort: number): ApiObject[] {
  const endpoint = Object.entries(kubeletEndpoint(kubeletPort))
    .map(([field, value]) => `${field}: ${JSON.stringify(value)}`)
    .join('\n');
  const nodeConditions = `
conditions:
{{ range NodeConditions }}
- {type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }}, message: {{ .message | Quote }}, lastHeartbeatTime: {{ Now | Quote }}, lastTransitionTime: {{ $now | Quote }}}
{{ end }}`;
  return [
    stage({
      name: 'node-initialize',
      kind: 'Node',
      when: [{ key: READY, operator: 'NotIn', values: ['True'] }],
      steps: [
        {
          patch: {
            subresource: 'status',
            root: 'status',
            template: `
{{ $now := Now }}
${nodeConditions}
${endpoint}
nodeInfo:
  architecture: simulated
  bootID: ""
  containerRuntimeVersion: kwok-{{ Version }}
  kernelVersion: kwok-{{ Version }}
  kubeProxyVersion: kwok-{{ Version }}
  kubeletVersion: kwok-{{ Version }}
  machineID: ""
  operatingSystem: linux
  osImage: simulated
  systemUUID: ""
phase: Running
`,
          },
        },
      ],
    }),
    stage({
      name: 'node-heartbeat',
      kind: 'Node',
      when: [
        { key: '.status.phase', operator: 'In', values: ['Running'] },
        { key: READY, operator: 'In', values: ['True'] },
      ],
      // Far inside the controller manager's grace of 200 s.
      delay: { durationMilliseconds: 40_000, jitterDurationMilliseconds: 50_000 },
      steps: [
        {
          patch: {
            subresource: 'status',
            root: 'status',
            template: `
{{ $now := or .metadata.creationTimestamp Now }}
${nodeConditions}
${endpoint}
`,
          },
        },
      ],
    }),
  ];
}
