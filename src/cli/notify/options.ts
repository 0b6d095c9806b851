export interface NotifyOptions {
  env: string;
  json?: true;
}

export interface NotifyTestOptions extends NotifyOptions {
  target?: string[];
}

export interface NotifyLettersOptions extends NotifyOptions {
  all?: true;
}
