export interface AdoptOptions {
  env: string;
  plan?: string;
  confirm?: string;
  /** Why it goes on although the environment is frozen. */
  overrideFreeze?: string;
  json?: true;
}
