/** The Nexus endpoint of an environment: its name, and by what everybody sees that it is ours. */
import { taskQueueOf } from '../names.ts';
import { endpointOf } from './service.js';

export interface WantedEndpoint {
  name: string;
  /** Temporal namespace of the deployer's workers. */
  namespace: string;
  taskQueue: string;
  /** Markdown, shown in the Temporal UI; says whose it is. */
  description: string;
}

/** @param endpoint as the environment's file says */
export function wantedEndpoint(environment: string, namespace: string, endpoint: string | undefined): WantedEndpoint {
  return {
    name: endpoint ?? endpointOf(environment),
    namespace,
    taskQueue: taskQueueOf(environment),
    description: descriptionOf(environment),
  };
}

/** An endpoint is ours where its description is exactly this, and it leads to our workers. */
function descriptionOf(environment: string): string {
  return `Operations on environment "${environment}". Managed by ananta-deploy: one that somebody changes is theirs.`;
}

/** For an operator of the engine. */
export function createCommand({ name, namespace, taskQueue, description }: WantedEndpoint): string {
  return `temporal operator nexus endpoint create --name ${name} --target-namespace ${namespace} --target-task-queue ${taskQueue} --description '${description.replaceAll("'", "'\\''")}'`;
}
