export interface AdoptOptions {
  env: string;
  confirm?: string;
  /** Why it goes on although the environment is frozen. */
  overrideFreeze?: string;
  json?: true;
}
