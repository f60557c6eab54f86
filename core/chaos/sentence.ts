import { MUTANTS } from './mutants/allMutants.ts';
import { Executioner, type Strike } from './strikes.ts';

/** What is done to a process, in each of its threads. */
export interface Sentence {
  /** When it kills itself. */
  readonly strike: Strike | undefined;
  /** Which fault it has. */
  readonly mutant: string | undefined;
}

const VARIABLE = 'MILLRACE_CHAOS';

let current: Executioner | undefined;

/** Decides what is done to this process, before it begins: its threads are given the same environment. */
export function pronounce(sentence: Sentence): void {
  process.env[VARIABLE] = JSON.stringify(sentence);
}

/** Who kills this process, and when. Begins the watch in a thread that has none. */
export function executioner(): Executioner {
  if (current !== undefined) return current;
  const { strike, mutant } = JSON.parse(process.env[VARIABLE] ?? '{}') as Partial<Sentence>;
  MUTANTS.find(({ name }) => name === mutant)?.apply();
  current = new Executioner(strike);
  current.watchCheckpoints();
  return current;
}
