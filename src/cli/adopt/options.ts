export interface AdoptOptions {
  env: string;
  /** A state file, or `live`. */
  from?: string;
  /** Folder. */
  out?: string;
  /** All of which a release is somebody else's. */
  all?: true;
  /** File with the Secrets that hold passwords now: they are imported first. */
  references?: string;
  plan?: string;
  confirm?: string;
  /** What was taken over is given back. */
  undo?: true;
  /** Why it goes on although the environment is frozen. */
  overrideFreeze?: string;
  json?: true;
}
