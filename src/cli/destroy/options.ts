export interface DestroyOptions {
  env: string;
  plan?: string;
  deleteData?: true;
  confirm?: string;
  /** Why it goes on although the environment is frozen. */
  overrideFreeze?: string;
  timeout?: number;
  detach?: true;
  json?: true;
}
