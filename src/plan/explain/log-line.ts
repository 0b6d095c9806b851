/** A line that a container wrote. */
export interface LogLine {
  pod: string;
  container: string;
  /** RFC 3339, as the kubelet writes it; empty where it gives none. */
  at: string;
  text: string;
}
