export { adopt } from './adopt.ts';
export { deploy } from './deploy.ts';
export { destroy } from './destroy.ts';
export { drift } from './drift.ts';
export { phase } from './phase.ts';
export { queue } from './queue.ts';
export { repair } from './repair.ts';
export { rollback } from './rollback.ts';
