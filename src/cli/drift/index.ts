/** `ananta drift` and its subcommands. */
export { acceptFindings, listAccepted, resetFlapping, unacceptFindings } from './decisions.ts';
export { runDriftNow } from './run.ts';
export { showRuns } from './runs.ts';
export { pauseSchedule, resumeSchedule, showSchedule } from './schedule.ts';
export { showDrift } from './show.ts';
