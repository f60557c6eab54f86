import { MillraceError } from '../errors/millraceError.ts';

/** What must be known of a state to read what was written of it. Plain data: it stands in checkpoints. */
export interface StateForm {
  /** The kind of state: that of its descriptor, or what the engine calls its own. */
  readonly kind: string;
  /** The version of the values, as the state's options say. */
  readonly version?: number | undefined;
  /** The codec that made bytes of the values. Default: they are plain data. */
  readonly codec?: { readonly name: string; readonly version: number } | undefined;
  /** What each field is: of aggregates their names, of timers their clocks. */
  readonly fields?: Readonly<Record<string, string>> | undefined;
}

/**
 * Makes sure that a state can take what another form of it has written. Values of older versions are the concern of the state itself.
 *
 * @throws MillraceError `state/incompatible` with what differs.
 */
export function checkForm(state: string, stored: StateForm, current: StateForm): void {
  if (stored.kind !== current.kind)
    throw incompatible(state, `${stored.kind} state`, `${current.kind} state`, 'Give the new state another name.');
  for (const [field, now] of Object.entries(current.fields ?? {})) {
    const before = stored.fields !== undefined && Object.hasOwn(stored.fields, field) ? stored.fields[field] : undefined;
    if (before === undefined || before === now) continue;
    throw incompatible(state, `"${field}" as ${before}`, `"${field}" as ${now}`, 'Give the new one another name: fields may come and go.');
  }
}

/** Stored data that a state of this form cannot take. */
export function incompatible(state: string, stored: string, current: string, remedy: string): MillraceError {
  return new MillraceError('state/incompatible', `The snapshot holds "${state}" with ${stored}; the job has it with ${current}.`, {
    remedy,
  });
}
