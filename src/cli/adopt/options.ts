export interface AdoptOptions {
  env: string;
  /** A state file, or `live`. */
  from?: string;
  /** Folder. */
  out?: string;
  plan?: string;
  confirm?: string;
  /** Why it goes on although the environment is frozen. */
  overrideFreeze?: string;
  json?: true;
}
