export { deploy } from './deploy.ts';
export { phase } from './phase.ts';
