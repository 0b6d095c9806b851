export interface AdoptOptions {
  env: string;
  /** A state file, or `live`. */
  from?: string;
  /** Folder. */
  out?: string;
  plan?: string;
  confirm?: string;
  /** What was taken over is given back. */
  undo?: true;
  /** Why it goes on although the environment is frozen. */
  overrideFreeze?: string;
  json?: true;
}
