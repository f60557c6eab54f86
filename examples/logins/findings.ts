/** Many failed passwords from one address within ten minutes. */
export interface Burst {
  readonly type: 'burst';
  readonly address: string;
  /** The beginning of the ten minutes, in ISO 8601. */
  readonly start: string;
  readonly failures: number;
}

/** Somebody got in after many failures from the same address: they may have guessed the password. */
export interface BreakIn {
  readonly type: 'breakin';
  readonly address: string;
  readonly user: string;
  readonly at: string;
  readonly failures: number;
}

export type Finding = Burst | BreakIn;

/** So many failures are not a slip of the fingers any more. */
export const ENOUGH_FAILURES = 5;

/** A finding as a line to read. */
export function findingText(finding: Finding): string {
  const { address, failures } = finding;
  if (finding.type === 'burst')
    return `${timeText(finding.start)}  burst     ${address.padEnd(15)}  ${failures} failed passwords within 10 minutes`;
  return `${timeText(finding.at)}  BREAK-IN  ${address.padEnd(15)}  as ${finding.user || '(no name)'} after ${failures} failures`;
}

/** Orders findings of the same second, for the same output in every run. */
export function compareFindings(a: Finding, b: Finding): number {
  const [left, right] = [orderOf(a), orderOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function orderOf(finding: Finding): string {
  return finding.type === 'burst' ? `2 ${finding.address}` : `1 ${finding.at} ${finding.address} ${finding.user}`;
}

function timeText(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}
