/** A real Kubernetes node on this machine, beside the simulated ones. */
export {
  NODE_COMPONENTS,
  type NodeComponentName,
  NODE_TOOLS,
  type NodeSetting,
  nodeCheck,
  nodeComponent,
} from './components.ts';
export { ensurePauseImage, importImages, listImages } from './images.ts';
export { NODE_NAME, nodeLayout } from './layout.ts';
export { type NodeNetwork, API_SERVICE_ADDRESS, SERVICE_RANGE } from './network.ts';
export { nodeObjects } from './objects.ts';
export { NodePreflightError, type Requirement, checkNodeRequirements, nodeRequirements } from './preflight.ts';
export { belonging, endContainers, hasNode, removeNodeNamespaces } from './cleanup.ts';
export { allocateNetwork, allocatedNetwork } from './subnet.ts';
