export interface ReportOptions {
  env: string;
  out?: string;
  json?: true;
}
