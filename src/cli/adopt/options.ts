export interface AdoptOptions {
  env: string;
  confirm?: string;
  json?: true;
}
