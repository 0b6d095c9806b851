export interface HistoryOptions {
  env: string;
  json?: true;
}
